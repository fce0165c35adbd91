"use strict";
(() => {
  const form = document.querySelector("form.filter");
  const clauses = [...document.querySelectorAll("details.clause")];
  const topics = [...document.querySelectorAll("section.topic")];
  const shown = document.getElementById("shown");
  const copied = document.getElementById("copied");
  let asked = null; // the clause that the address names: it shows whatever the filter says
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
      clause.hidden = !fits && clause !== asked;
      number += clause.hidden ? 0 : 1;
    }
    for (const topic of topics) topic.hidden = !topic.querySelector("details.clause:not([hidden])");
    shown.textContent = `${number} of ${clauses.length} clauses shown`;
  };

  // The address keeps the open clause and the filter: #MA-34, #MA-34?text=gone, #?level=must.
  const boxes = (name) => [...form.elements[name]];
  const query = () => {
    const told = new URLSearchParams();
    for (const name of ["verdict", "level"]) {
      if (boxes(name).some((box) => box.checked !== box.defaultChecked)) {
        told.set(name, boxes(name).filter((box) => box.checked).map((box) => box.value).join(","));
      }
    }
    if (form.elements.text.value) told.set("text", form.elements.text.value);
    return String(told).replaceAll("%2C", ",");
  };
  const keep = () => {
    const told = query();
    const fragment = (asked ? asked.id : "") + (told ? `?${told}` : "");
    const bare = location.href.split("#")[0];
    history.replaceState(null, "", fragment ? `${bare}#${fragment}` : bare);
  };
  const take = (told) => {
    for (const name of ["verdict", "level"]) {
      const wanted = told.has(name) ? told.get(name).split(",") : null;
      for (const box of boxes(name)) box.checked = wanted ? wanted.includes(box.value) : box.defaultChecked;
    }
    form.elements.text.value = told.get("text") || "";
  };
  const follow = () => {
    const [name, told] = location.hash.slice(1).split("?");
    if (told !== undefined) take(new URLSearchParams(told));
    let id = name;
    try { id = decodeURIComponent(name); } catch { /* no escape of ours */ }
    const clause = clauses.find((c) => c.id === id) || clauses.find((c) => c.dataset.id === id);
    asked = clause || asked;
    filter();
    if (!clause) return;
    clause.open = true;
    keep();
    clause.scrollIntoView();
    clause.querySelector("summary").focus({ preventScroll: true });
  };
  const toggled = (clause) => {
    if (clause.open) {
      // Browsers that do not know <details name> leave the others open.
      for (const other of clauses) if (other !== clause) other.open = false;
      asked = clause;
    } else if (asked === clause) {
      asked = null;
    }
    filter();
    keep();
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
    copied.textContent = done ? "Copied." : "Selected: copy it by hand.";
    setTimeout(() => {
      button.textContent = "Copy";
      copied.textContent = "";
    }, 2000);
  };

  form.hidden = false;
  for (const button of document.querySelectorAll("button[data-do=copy]")) button.hidden = false;
  const changed = () => {
    filter();
    keep();
  };
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("toggle", (event) => {
    if (clauses.includes(event.target)) toggled(event.target);
  }, true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-do]");
    if (button && button.dataset.do === "copy") copy(button);
    if (button && button.dataset.do === "reset") {
      form.reset();
      changed();
    }
    if (button && button.dataset.do === "all") {
      form.reset();
      for (const box of boxes("verdict")) box.checked = true;
      changed();
    }
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash.slice(1) === location.hash.slice(1).split("?")[0]) {
      event.preventDefault();
      follow();
    }
  });
  addEventListener("hashchange", follow);
  // A browser may bring back what was ticked before the page was loaded again: the address tells.
  form.reset();
  follow();
})();
