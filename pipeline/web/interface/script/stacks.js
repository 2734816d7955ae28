/* Splits and merges a stack: its pages as pictures, one row a document. Pages are dragged, or moved by keys, from row to row. */

const MOST_PAGES = 20000;

/** Pages of each document in a text such as `1-3,4+6`. */
function pagesOfDocuments(text) {
  return text.split(",").map((part) => part.split("+").flatMap((run) => {
    const [first, last] = run.split("-").map(Number);
    return Number.isInteger(first) ? Array.from({ length: Math.min((last || first) - first + 1, MOST_PAGES) }, (_, at) => first + at) : [];
  })).filter((pages) => pages.length);
}

function textOfDocuments(rows) {
  return rows.filter((pages) => pages.length).map((pages) => {
    const runs = [];
    for (const page of pages) {
      if (runs.length && page === runs.at(-1).at(-1) + 1) runs.at(-1).push(page);
      else runs.push([page]);
    }
    return runs.map((run) => (run.length > 1 ? `${run[0]}-${run.at(-1)}` : `${run[0]}`)).join("+");
  }).join(",");
}

const MOST_PICTURES = 200, LEAST_WAY = 6;

/** The rows of a stack; ``input`` is the field with their text, which follows every move. */
function stackEditor(split, input) {
  const holder = make("div", { class: "stack" });
  let rows = [], left = [], dragged = null;

  function read() {
    rows = pagesOfDocuments(input.value);
    const used = new Set(rows.flat());
    left = Array.from({ length: split.page_count }, (_, at) => at + 1).filter((page) => !used.has(page));
  }

  /** Takes a page to a row (-1: to none) before the page ``before``, or to its end. */
  function move(page, row, before) {
    const target = row === -1 ? left : rows[row] || (rows[row] = []);
    for (const pages of [...rows, left]) if (pages.includes(page)) pages.splice(pages.indexOf(page), 1);
    target.splice(before === undefined ? target.length : Math.max(0, target.indexOf(before)), 0, page);
    rows = rows.filter((pages) => pages.length);
    change(page);
  }
  function change(focus) {
    input.value = textOfDocuments(rows);
    holder.classList.add("changed");
    draw();
    holder.querySelector(`[data-page="${focus}"]`)?.focus();
  }
  function cutBefore(row, page) {
    const at = rows[row].indexOf(page);
    if (at > 0) rows.splice(row + 1, 0, rows[row].splice(at));
    change(page);
  }
  function merge(row) {
    if (rows[row + 1]) rows[row].push(...rows.splice(row + 1, 1)[0]);
    change(rows[row][0]);
  }

  /** Marks the row under the pointer; null marks none. */
  function aim(event) {
    const row = event && document.elementFromPoint(event.clientX, event.clientY)?.closest(".stack-row");
    for (const other of holder.querySelectorAll(".stack-row")) other.classList.toggle("over", other === row);
    if (dragged) dragged.item.classList.toggle("dragged", Boolean(event));
    return row;
  }
  function drop(event) {
    const row = holder.querySelector(".stack-row.over") && aim(event), taken = dragged;
    const sheet = row && document.elementFromPoint(event.clientX, event.clientY).closest(".sheet");
    aim(null);
    dragged = null;
    if (row && taken && sheet !== taken.item) move(taken.page, Number(row.dataset.row), sheet ? Number(sheet.dataset.page) : undefined);
  }

  function picture(page, row) {
    const item = make("div", { role: "button", tabindex: "0", class: "sheet", "data-page": page, "aria-label": t("page {page}", { page }), on: {
      pointerdown: (event) => { dragged = { page, x: event.clientX, y: event.clientY, item }; item.setPointerCapture(event.pointerId); },
      pointermove: (event) => { if (dragged && Math.hypot(event.clientX - dragged.x, event.clientY - dragged.y) > LEAST_WAY) aim(event); },
      pointerup: (event) => drop(event),
      pointercancel: () => { aim(null); dragged = null; },
      keydown: (event) => {
        const act = { ArrowUp: () => row > 0 && move(page, row - 1), ArrowDown: () => move(page, row === -1 ? rows.length - 1 : row + 1), Enter: () => row >= 0 && cutBefore(row, page), Delete: () => move(page, -1) }[event.key];
        if (!act) return;
        event.preventDefault();
        event.stopPropagation();
        act();
      },
    } }, split.page_count <= MOST_PICTURES ? make("img", { src: `/api/documents/${split.id}/pages/${page}.webp`, alt: "", loading: "lazy", draggable: "false" }) : null, make("span", {}, String(page)));
    return item;
  }
  function rowOf(pages, row, text) {
    return make("div", { class: "stack-row", role: "group", "aria-label": text, "data-row": row }, make("span", { class: "soft" }, text), pages.map((page) => picture(page, row)), row >= 0 && rows[row + 1] ? make("button", { type: "button", class: "plain", on: { click: () => merge(row) } }, t("Merge with the next")) : null);
  }
  function draw() {
    holder.replaceChildren(
      make("p", { class: "soft" }, t("Drag a page to another document, or move it with ↑ ↓; Enter begins a document at a page, Delete leaves it out.")),
      ...rows.map((pages, row) => rowOf(pages, row, t("Document {row}", { row: row + 1 }))),
      rowOf([], rows.length, t("A new document")), rowOf(left, -1, t("In no document")));
  }
  // While it is typed: rows that change when the field is left move the button that is being clicked.
  input.addEventListener("input", () => { read(); draw(); });
  read();
  draw();
  return holder;
}
