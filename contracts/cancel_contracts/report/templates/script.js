"use strict";
(() => {
  const form = document.querySelector("form.filter");
  const clauses = [...document.querySelectorAll("details.clause")];
  const cells = new Map([...document.querySelectorAll("li[data-for]")].map((li) => [li.dataset.for, li]));
  const shown = document.getElementById("shown");
  const copied = document.getElementById("copied");
  // What the text filter looks through: the promise and the evidence, written once in lower case.
  const texts = new Map();
  const text = (clause) => {
    if (!texts.has(clause)) texts.set(clause, clause.textContent.toLowerCase());
    return texts.get(clause);
  };
  const filter = () => {
    const data = new FormData(form);
    const verdicts = new Set(data.getAll("verdict"));
    const levels = new Set(data.getAll("level"));
    const words = String(data.get("text")).toLowerCase().split(/\s+/).filter(Boolean);
    let number = 0;
    for (const clause of clauses) {
      const fits = verdicts.has(clause.dataset.verdict) && levels.has(clause.dataset.level) &&
        words.every((word) => text(clause).includes(word));
      clause.hidden = !fits;
      const cell = cells.get(clause.id);
      if (cell) cell.classList.toggle("filtered", !fits);
      number += fits ? 1 : 0;
    }
    shown.textContent = `${number} of ${clauses.length} clauses shown`;
  };
  const reset = () => {
    form.reset();
    filter();
  };
  const follow = () => {
    const clause = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!clause || !clauses.includes(clause)) return;
    if (clause.hidden) reset();
    clause.open = true;
    clause.scrollIntoView();
    clause.querySelector("summary").focus({ preventScroll: true });
  };
  const copy = async (button) => {
    const code = button.parentElement.querySelector("code");
    let done = false;
    try {
      await navigator.clipboard.writeText(code.textContent);
      done = true;
    } catch {
      // No permission, or no clipboard for a file: select the line, which also helps by hand.
      const range = document.createRange();
      range.selectNodeContents(code);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Selected";
    copied.textContent = done ? "The curl line is copied." : "The curl line is selected.";
    setTimeout(() => {
      button.textContent = "Copy";
      copied.textContent = "";
    }, 2000);
  };
  form.hidden = false;
  for (const button of document.querySelectorAll("button[data-do=copy]")) button.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do]");
    if (button && button.dataset.do === "copy") copy(button);
    if (button && button.dataset.do === "reset") reset();
    if (button && button.dataset.do === "open") for (const c of clauses) c.open = c.open || !c.hidden;
    if (button && button.dataset.do === "close") for (const c of clauses) c.open = false;
    const cell = event.target.closest("a.cell");
    if (cell && cell.hash === location.hash) follow();
  });
  addEventListener("hashchange", follow);
  // A browser may bring back what was ticked before the page was loaded again.
  filter();
  follow();
})();
