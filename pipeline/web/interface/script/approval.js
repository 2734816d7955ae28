/* Approving documents: the one that is shown, or all listed ones at once. */

let asked = null;
/** The document whose approval was asked for although values are doubtful; asking once more approves it. */

function approvalText(item) {
  const latest = item.approval?.at(-1);
  return latest ? t("{state} by {name}, {time}", { state: stateText(latest.state), name: latest.by || t("the program: it was read again"), time: time(latest.at) }) : "";
}

function approveButton(item) {
  if (!source.mayChange || item.status === "waiting" || item.is_split) return null;
  return settled(item) ? make("button", { type: "button", class: "plain", on: { click: () => setState(item, "to_check").then(reload) } }, t("Check again")) : keyButton(t("Approve"), "A", approve);
}

async function setState(item, state) {
  if (!await accepted("PUT", `/api/documents/${item.id}/state`, { state, by: author() })) return false;
  item.approvalState = state;
  return true;
}

/** Approves the document, and goes on to the next one to check. With doubtful values left it must be asked for twice. */
async function approve() {
  const item = current;
  if (!item || item.status === "waiting" || item.is_split) return;
  const doubtful = reviewKeys(item);
  if (doubtful.length && asked !== item) {
    asked = item;
    select(doubtful[0], { focus: true });
    return announce(t("{values} to review. A once more approves the document as it is.", { values: plural(doubtful.length, "value") }));
  }
  asked = null;
  const at = listed.indexOf(item), next = listed.slice(at + 1).find((entry) => !settled(entry)) || listed.slice(0, Math.max(0, at)).find((entry) => !settled(entry));
  if (!await setState(item, "approved")) return;
  announce(t("{name} is approved.", { name: item.base }));
  refreshEntry(item);
  if (!next) return reload();
  await openDocument(next, "list");
  const first = current === next && reviewKeys(next)[0];
  if (first) select(first, { focus: true });
}

/** Buttons for all listed documents: those without doubts are approved, approved ones are marked as exported. */
function showBulk() {
  const holder = $("bulk");
  if (!holder || !source.mayChange) return;
  const of = (entries, text, state, extra) => (entries.length ? make("button", { type: "button", class: "quiet", on: { click: () => setStates(entries, state, extra) } }, `${text} (${number(entries.length)})`) : null);
  const state = chosenState();
  holder.replaceChildren(...[
    state === "to_check" ? of(listed.filter((entry) => entry.status === "done" && !entry.reviewCount && !isTextOnly(entry)), t("Approve all without doubts"), "approved", { doubtless: true }) : null,
    state === "approved" ? of(listed, t("Mark all as exported"), "exported") : null,
  ].filter(Boolean));
}

async function setStates(chosen, state, extra) {
  const { status, answer } = await call("PUT", "/api/states", { ids: chosen.map((entry) => entry.id), state, by: author(), ...extra });
  if (status !== 200) return announce(detail(answer));
  announce(`${plural(answer.decided.length, "document")} ${stateText(state)}${answer.left.length ? `, ${t("{count} left as they are", { count: number(answer.left.length) })}` : ""}.`);
  await filter();
  await reload();
}
