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
    if (act) { event.preventDefault(); act(); }
  });
}
