/* Editing the rows of a table as in a spreadsheet. Every change can be undone until the rows are saved. */

const tableIsUnsaved = () => Boolean(table && JSON.stringify(table.rows) !== table.before);

/** Opens the rows of a table for editing; ``key`` is its field's, or null for the document's first table. */
function openTable(key) {
  if (!current || table || !source.mayChange) return;
  const wanted = key || [...current.rows].find(([, { field }]) => field.edit?.kind === "table")?.[0];
  if (!wanted) return announce(t("This document has no table."));
  const { field, id } = current.rows.get(wanted), columns = field.edit.columns;
  const rows = (field.edit.value || []).map((row) => columns.map((column) => (row[column] === null || row[column] === undefined ? "" : String(row[column]))));
  leaveEditor();
  const name = spoken(field.name), section = make("section", { class: "table editing", "data-table": wanted, "aria-labelledby": `table-${id}` });
  table = { key: wanted, field, columns, rows: rows.length ? rows : [columns.map(() => "")], past: [], section, version: field.edit.version };
  table.before = JSON.stringify(table.rows);
  const act = (text, key_, run) => keyButton(text, key_, () => { run(); });
  section.append(
    make("div", { class: "row" }, make("h3", { id: `table-${id}` }, name), make("p", { class: "sum", role: "status" }),
      make("div", { class: "actions" }, keyButton(t("Save"), "Enter", saveTable), keyButton(t("Leave"), "Esc", () => leaveTable()),
        act(t("Insert"), "Alt N", () => changeRows((at) => { table.rows.splice(at + 1, 0, columns.map(() => "")); return at + 1; })),
        act(t("Delete"), "Alt ⌫", () => changeRows((at) => { table.rows.splice(at, 1); if (!table.rows.length) table.rows.push(columns.map(() => "")); return Math.min(at, table.rows.length - 1); })),
        act(t("Up"), "Alt ↑", () => moveRow(-1)), act(t("Down"), "Alt ↓", () => moveRow(1)), act(t("Undo"), "Ctrl Z", undoTable))),
    make("p", { class: "refused", role: "alert", hidden: true }),
    make("div", { class: "cells" }, make("table", { class: "grid" }, make("thead", {}, make("tr", {}, columns.map((column) => make("th", { scope: "col", class: field.edit.numeric.includes(column) ? "n" : null }, spoken(column))))), make("tbody", {}))));
  const before = [...main.querySelectorAll(".table")].find((other) => other.dataset.table === wanted);
  if (before) before.replaceWith(section); else main.querySelector(".tables").append(section);
  linkCells(section, wanted);
  section.addEventListener("keydown", tableKey);
  section.addEventListener("paste", pasteRows);
  section.addEventListener("input", (event) => {
    const [at, column] = placeOf(event.target);
    table.rows[at][column] = event.target.value;
    showSum();
  });
  section.addEventListener("focusin", (event) => {
    if (!event.target.matches("input")) return;
    table.at = placeOf(event.target);
    remember();
  });
  table.at = [0, 0];
  drawRows();
  if (narrow.matches) section.scrollIntoView({ block: "end" });
  takeInHand(fillCell);
}

/** Puts picked words of the page into the cell that has the focus. */
function fillCell(text, adding) {
  const [at, column] = table.at, line = text.replaceAll("\n", " ");
  remember();
  table.rows[at][column] = adding ? `${table.rows[at][column]} ${line}`.trim() : line;
  drawRows();
}

const placeOf = (input) => [input.closest("tr").rowIndex - 1, input.closest("td").cellIndex];

/** Draws the rows anew, with the focus in the cell that had it. */
function drawRows() {
  const { section, rows, columns, at, field } = table, numeric = field.edit.numeric;
  section.querySelector("tbody").replaceChildren(...rows.map((cells, n) => make("tr", {}, columns.map((column, m) => make("td", { "data-cell": `${n} ${column}` },
    make("input", { "aria-label": t("{column}, row {row}", { column: spoken(column), row: n + 1 }), value: cells[m], class: numeric.includes(column) ? "n" : null, autocomplete: "off", spellcheck: "false" }))))));
  showSum();
  section.querySelectorAll("tbody tr")[at[0]]?.cells[at[1]]?.firstChild.focus();
}

function showSum() {
  table.section.querySelector(".sum").textContent = sumText(table.field, table.rows, table.columns) || plural(table.rows.length, "row");
}

/** Keeps the rows as they are for ``undoTable``, unless the last ones kept are the same. */
function remember() {
  const now = JSON.stringify(table.rows);
  if (table.past.at(-1)?.rows !== now) table.past.push({ rows: now, at: table.at });
}

function undoTable() {
  const now = JSON.stringify(table.rows);
  let last = table.past.pop();
  while (last && last.rows === now) last = table.past.pop();
  if (!last) return announce(t("There is nothing to undo."));
  table.rows = JSON.parse(last.rows);
  table.at = last.at;
  drawRows();
}

function changeRows(change) {
  remember();
  table.at = [change(table.at[0]), table.at[1]];
  drawRows();
}

function moveRow(by) {
  const to = table.at[0] + by;
  if (to < 0 || to >= table.rows.length) return;
  changeRows((at) => { table.rows.splice(to, 0, ...table.rows.splice(at, 1)); return to; });
}

function tableKey(event) {
  if (!event.target.matches("input")) {
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); leaveTable(); }
    return;
  }
  const [at, column] = placeOf(event.target), moves = { ArrowUp: -1, ArrowDown: 1 };
  const press = (button) => table.section.querySelectorAll(".actions button")[button].click();
  const acts = {
    Enter: () => saveTable(), Escape: () => leaveTable(),
    "Alt+ArrowUp": () => moveRow(-1), "Alt+ArrowDown": () => moveRow(1), "Alt+n": () => press(2), "Alt+Backspace": () => press(3), "Alt+Delete": () => press(3),
    "Ctrl+z": undoTable,
  };
  const name = `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${event.key}`;
  if (event.isComposing) return;
  if (acts[name]) { event.preventDefault(); event.stopPropagation(); acts[name](); } else if (name in moves) {
    const next = table.section.querySelectorAll("tbody tr")[at + moves[name]];
    if (next) { event.preventDefault(); next.cells[column].firstChild.focus(); }
  }
}

/** Rows copied in a spreadsheet fill the cells from the one that has the focus on; further rows are added. */
function pasteRows(event) {
  const text = event.clipboardData?.getData("text/plain").replaceAll("\r\n", "\n").replace(/\n$/, "") || "";
  if (!event.target.matches("input") || !/[\t\n]/.test(text)) return;
  event.preventDefault();
  const [at, column] = placeOf(event.target);
  changeRows(() => {
    text.split("\n").forEach((line, n) => {
      while (table.rows.length <= at + n) table.rows.push(table.columns.map(() => ""));
      line.split("\t").forEach((cell, m) => { if (column + m < table.columns.length) table.rows[at + n][column + m] = cell.trim(); });
    });
    return at;
  });
}

function leaveTable() {
  if (!table) return;
  const { key } = table;
  table = null;
  takeInHand(null);
  showTables(current);
  current.rows.get(key)?.button.focus({ preventScroll: true });
}

async function saveTable() {
  const editing = table, { key, columns } = editing;
  const rows = editing.rows.filter((cells) => cells.some((cell) => cell.trim())).map((cells) => Object.fromEntries(columns.map((column, n) => [column, cells[n].trim() || null])));
  current.rows.get(key).field.edit.version = editing.version;
  const refused = editing.section.querySelector(".refused");
  table = null; // the saved document is drawn with its new rows
  takeInHand(null);
  if (await save(key, rows, refused)) return;
  table = editing;
  editing.version = current.rows.get(key).field.edit.version;
  takeInHand(fillCell);
}
