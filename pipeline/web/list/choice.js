/* Documents of the list that are chosen: one by one, all of the page, or all that match. */

const chosen = new Set();
let every = false, last = null;
const boxes = () => [...document.querySelectorAll("#results .pick input[value]")];
const total = () => Number(results().dataset.total);
const chosenCount = () => (every ? total() : chosen.size);

function showChoice() {
  const all = boxes();
  for (const box of all) { box.hidden = false; box.checked = every || chosen.has(box.value); }
  const heading = document.querySelector("#results th.pick");
  if (heading && all.length) {
    const box = make("input", { type: "checkbox", "aria-label": t("Choose all of this page"), on: { change: (event) => choosePage(event.target.checked) } });
    box.checked = all.every((one) => one.checked);
    heading.replaceChildren(box);
  }
  showActions();
}

function choosePage(on) {
  every = false;
  for (const box of boxes()) if (on) chosen.add(box.value); else chosen.delete(box.value);
  showChoice();
}

function chooseNone() {
  chosen.clear();
  every = false;
  showChoice();
}

/** A click on the box of a row; with Shift, all rows since the last one. */
function chooseRow(event) {
  const box = event.target.closest("#results td.pick input");
  if (!box) return;
  const all = boxes();
  if (every) { every = false; for (const one of all) chosen.add(one.value); }
  const [from, to] = [all.indexOf(event.shiftKey && last ? all.find((one) => one.value === last) : box), all.indexOf(box)].sort((a, b) => a - b);
  for (const one of all.slice(Math.max(0, from), to + 1)) if (box.checked) chosen.add(one.value); else chosen.delete(one.value);
  last = box.value;
  showChoice();
}

/** The identifiers of all chosen documents; null where the server does not give them. */
async function identifiers() {
  if (!every) return [...chosen];
  const found = [];
  for (let offset = 0; ; offset += 1000) {
    const answer = await answered("GET", `/api/documents?${results().dataset.query}&sort=name&limit=1000&offset=${offset}`);
    if (!answer) return null;
    found.push(...answer.documents.map((item) => item.id));
    if (answer.documents.length < 1000) return found;
  }
}
