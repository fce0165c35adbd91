"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);

  // --- the filter of the clauses -----------------------------------------------------------------
  const filter = document.querySelector("form.filter");
  const rows = [...document.querySelectorAll(".matrix tbody tr")];
  const shown = filter.querySelector(".shown");
  const choose = () => {
    const odd = filter.elements.odd.checked;
    let number = 0;
    for (const row of rows) {
      row.hidden = odd && row.classList.contains("even");
      number += row.hidden ? 0 : 1;
    }
    shown.textContent = `${number} of ${rows.length} clauses shown`;
  };
  filter.addEventListener("input", choose);
  filter.addEventListener("submit", (event) => event.preventDefault());
  filter.hidden = rows.length === 0;
  filter.reset();
  choose();

  // --- two runs side by side ---------------------------------------------------------------------
  const section = document.getElementById("compare");
  const form = section.querySelector("form");
  const told = section.querySelector(".told");
  const differences = section.querySelector(".differences");
  const heads = [...differences.querySelectorAll("thead th")].map((head) => head.textContent);
  const fill = (select) => {
    for (const target of data.targets) {
      const group = document.createElement("optgroup");
      group.label = target.name;
      for (const number of target.runs) {
        const option = document.createElement("option");
        option.value = String(number);
        option.textContent = `${target.name}, ${data.runs[number].label}`;
        group.append(option);
      }
      select.append(group);
    }
  };
  // A row of text as the page has its rows: the first cell heads it, the others are labelled.
  const row = (cells) => {
    const made = document.createElement("tr");
    made.setAttribute("role", "row");
    cells.forEach(([text, name], at) => {
      const cell = document.createElement(at ? "td" : "th");
      cell.setAttribute("role", at ? "cell" : "rowheader");
      if (at) cell.dataset.label = heads[at];
      else cell.scope = "row";
      const inside = document.createElement("span");
      inside.textContent = text;
      inside.className = name || "";
      cell.append(inside);
      made.append(cell);
    });
    return made;
  };
  // A run's verdicts are a string a contract: a digit a clause, "-" where the run has none. Beyond
  // the words stand those that are not held against the target.
  const digit = (run, contract, at) => (data.runs[run].verdicts[contract] || "")[at] || "-";
  const verdict = (found) => (found === "-" ? null : data.words[Number(found) % data.words.length]);
  const held = (found) => Number(found) < data.words.length;
  const compare = () => {
    const [a, b] = [form.elements.a.value, form.elements.b.value];
    const body = differences.querySelector("tbody");
    body.replaceChildren();
    let [worse, apart, alone] = [0, 0, 0];
    for (const [contract, clauses] of Object.entries(data.clauses)) {
      clauses.forEach(([id, level, says], at) => {
        const [before, after] = [digit(a, contract, at), digit(b, contract, at)];
        const [was, now] = [verdict(before), verdict(after)];
        if (was === now) return;
        if (was === null || now === null) {
          alone += 1;
          return;
        }
        apart += 1;
        const bad = level === "must" && held(after) && data.rank[now] > data.rank[was];
        worse += bad ? 1 : 0;
        body.append(row([
          [id, "id"], [level], [`${data.glyphs[was]} ${was}`, `word ${was}`],
          [`${data.glyphs[now]} ${now}${bad ? " (worse)" : ""}`, `word ${now}`], [says],
        ]));
      });
    }
    const clauses = (number) => `${number} ${number === 1 ? "clause" : "clauses"}`;
    told.textContent = `${clauses(apart)} judged otherwise, ${worse} of the must-clauses for the worse in B` +
      (alone ? `; ${clauses(alone)} in one of the two runs only.` : ".");
    differences.hidden = apart === 0;
  };
  if (data.runs.length > 1) {
    const selects = [form.elements.a, form.elements.b];
    selects.forEach(fill);
    // At first: the newest run of the first target and the run before it, or that of the next target.
    const [first, second] = data.targets;
    const before = first.runs[1] ?? second.runs[0];
    form.elements.a.value = String(before);
    form.elements.b.value = String(first.runs[0]);
    form.addEventListener("input", compare);
    form.addEventListener("submit", (event) => event.preventDefault());
    section.hidden = false;
    compare();
  }
})();
