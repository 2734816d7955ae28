/* Single keys. They are off while a person types, and can be switched off in the help. */

const keys = {
  j: () => step(1), k: () => step(-1), n: () => stepToReview(1), N: () => stepToReview(-1), f: () => current && stepField(1), F: () => current && stepField(-1),
  z: toggleZoom, "+": () => setZoom(1), "-": () => setZoom(-1), r: turnPage, "]": () => current && stepPage(1), "[": () => current && stepPage(-1),
  "/": () => { if (narrow.matches && current) backToList(); $("text").focus(); $("text").select(); },
  "?": () => $("help").showModal(),
};
const editingKeys = {
  a: () => accept(selected), c: () => openEditor(selected), Enter: () => openEditor(selected), x: () => selected && save(selected, null), u: () => selected && save(selected, undefined),
  A: approve, t: () => openTable(null), q: () => main.querySelector("#ask input")?.focus(),
};
if (source.mayChange) Object.assign(keys, editingKeys);

const PAUSE_MILLISECONDS = 1000;
let lastRefused = -PAUSE_MILLISECONDS;

/** Whether a key that changes something must not do so now. While a document is still being loaded, what a person types (a question after
    `q`, say) must not become keys for the document that appears: then all that is typed without a pause is left out, too. */
function isRefused(key, time) {
  const follows = time - lastRefused < PAUSE_MILLISECONDS;
  if (follows) lastRefused = time;
  if (follows || !(key in editingKeys) || !source.mayChange) return follows;
  if (!current || opening) {
    lastRefused = time;
    announce(t("The document is still being loaded."));
    return true;
  }
  if (!settled(current) || key === "q" || key === "A") return false;
  announce(t("This document is {state}. Choose “Check again” to change it.", { state: stateText(current.approvalState) }));
  return true;
}

let turn = null, isLast = false;
/** ``turn``: what ends when the last key is carried out; null for none. ``isLast``: no key may follow that one before it has ended. */

const LAST = ["A", "j", "k", "c", "Enter", "t", "q", "/"];
/** Keys that lead to another document, or open an input: what is typed before that has happened is left out, not done to what appears. */

/** Carries out a key after those before it: a person who knows the keys is faster than the server. */
function inTurn(key, act) {
  if (turn && isLast) return announce(t("The document is still being loaded."));
  const doing = turn ? turn.then(act) : act();
  if (!(doing instanceof Promise)) return undefined;
  isLast = LAST.includes(key);
  const own = doing.catch(() => null).then(() => { if (turn === own) turn = null; });
  turn = own;
  return own;
}

function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=radio], [type=checkbox]), select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      if (typing) { typing.blur(); if (current && current.link && !narrow.matches) current.link.focus(); }
      else if (selected) select(selected, { toggle: true, row: true });
      else if (narrow.matches && current) backToList();
      return;
    }
    if (typing || !$("keys").checked) return;
    const inField = event.target.closest(".field");
    const onOther = event.target.closest("a, summary, input, button") && !(selected && current.rows.get(selected)?.button === event.target);
    if (event.key === "Enter" && onOther) return; // it does what the link or the button does; on a field it takes this one in hand
    const arrow = { ArrowDown: inField ? "f" : "j", ArrowUp: inField ? "F" : "k" }[event.key];
    if (arrow && event.target.closest(inField ? "summary" : "main, fieldset, summary")) return;
    const act = keys[arrow || event.key];
    if (act) { event.preventDefault(); if (!isRefused(event.key, event.timeStamp)) inTurn(event.key, act); }
  });
}
