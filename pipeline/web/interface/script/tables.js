/* Tables under the page, at its full width: their rows, the running sum, and each cell's box on the page. */

let table = null;
/** The table that is edited (see ``table_editing.js``); null without one. */

/** The tables of a document, below its page. One that is edited stays as it is. */
function showTables(item) {
  const holder = main.querySelector(".tables");
  if (table && holder.contains(table.section)) return;
  table = null;
  holder.replaceChildren(...[...item.rows].filter(([, { field }]) => field.table).map(([key, row]) => tableSection(key, row)));
  markCells();
}

function tableSection(key, { field, id }) {
  const { columns, rows, ungrounded, row_count: rowCount } = field.table;
  const numeric = columns.map((_, n) => rows.every((cells) => /^(-?\d[\d.,]*%?)?$/.test(cells[n])) && rows.some((cells) => cells[n]));
  const marked = new Set(ungrounded.map(([n, m]) => `${n} ${m}`));
  const body = rows.map((cells, n) => make("tr", {}, cells.map((text, m) => {
    const mark = marked.has(`${n} ${m}`);
    return make("td", { class: `${numeric[m] ? "n" : ""}${mark ? " review" : ""}`, title: mark ? t("not found on the page") : null, dir: "auto", "data-cell": `${n} ${columns[m]}` }, text);
  })));
  const heads = make("tr", {}, columns.map((name, m) => make("th", { scope: "col", class: numeric[m] ? "n" : null }, spoken(name))));
  const name = spoken(field.name);
  const section = make("section", { class: "table", "data-table": key, "aria-labelledby": `table-${id}` },
    make("div", { class: "row" }, make("h3", { id: `table-${id}` }, name), make("p", { class: "soft" }, plural(rowCount, "row") + (rowCount > rows.length ? `, ${t("the first {count} are listed", { count: number(rows.length) })}` : "")), make("p", { class: "sum", role: "status" }, sumText(field, rows, columns)),
      source.mayChange && field.edit?.kind === "table" ? keyButton(t("Edit the rows"), "t", () => openTable(key)) : null),
    make("div", { class: "cells", tabindex: "0", role: "region", "aria-label": t("{name}, rows", { name }) }, make("table", {}, make("thead", {}, heads), make("tbody", {}, body))));
  linkCells(section, key);
  return section;
}

/* ---- sums ---- */

/** A printed or plain amount in hundredths of hundredths, exactly; null for no amount. The last mark is the decimal one where it can be. */
function scaled(text) {
  const plain = String(text ?? "").replace(/[^\d.,-]/g, "");
  const match = /^(-?)(.*?)(?:[.,](\d{1,2}|\d{4,}))?$/.exec(plain), whole = match && match[2].replace(/[.,]/g, "");
  if (!match || (!whole && !match[3]) || /-/.test(whole) || !/^\d*$/.test(whole)) return null;
  const value = BigInt(whole || "0") * 10000n + BigInt((match[3] || "").padEnd(4, "0").slice(0, 4));
  return match[1] ? -value : value;
}

function amountText(value) {
  const digits = String(value < 0n ? -value : value).padStart(5, "0"), decimals = digits.slice(-4).replace(/0{1,2}$/, "");
  return `${value < 0n ? "−" : ""}${digits.slice(0, -4)}.${decimals}`;
}

/** The sum of the column that a check adds up, and how far it is from the field that it should be. */
function sumText(field, rows, columns) {
  const { column, equals, expected } = field.sums || {}, at = columns.indexOf(column);
  if (at < 0 || !rows.length) return "";
  const sum = rows.reduce((total, cells) => total + (scaled(cells[at]) ?? 0n), 0n), goal = expected === null ? null : scaled(expected);
  const says = `${spoken(column)} ${amountText(sum)}`;
  if (goal === null) return says;
  return goal === sum ? `${says} = ${spoken(equals)}` : `${says}; ${t("{field} says {amount}, difference {difference}", { field: spoken(equals), amount: amountText(goal), difference: amountText(sum - goal) })}`;
}

/* ---- cells and their boxes ---- */

function linkCells(section, key) {
  for (const [kind, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    section.addEventListener(kind, (event) => {
      const cell = event.target.closest("[data-cell]");
      if (cell) markCell(key, cell.dataset.cell, on, kind === "focusin");
    });
  }
}

const cellName = (key, cell) => `${key} ${cell}`;

/** Draws a box around each cell that stands on the page that is shown. */
function markCells() {
  const sheet = main.querySelector(".page-figure .page-image"), page = shownPage();
  sheet?.querySelectorAll(".cell-box").forEach((box) => box.remove());
  if (!sheet || !page || !current.cells) return;
  for (const [key, rows] of Object.entries(current.cells)) {
    if (!current.rows.has(key)) continue;
    rows.forEach((cells, n) => {
      for (const [column, box] of Object.entries(cells)) sheet.append(placeBox(make("div", { class: "cell-box", "data-cell": cellName(key, `${n} ${column}`) }), box, ...page.size));
    });
  }
}

function markCell(key, cell, on, scroll) {
  for (const box of main.querySelectorAll(".cell-box")) {
    if (box.dataset.cell !== cellName(key, cell)) continue;
    box.classList.toggle("on", on);
    if (on && scroll) centre(box);
  }
}
