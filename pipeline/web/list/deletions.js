/* Deleting the chosen documents, and bringing deleted ones back. */

/** Whether a deletion, or its undoing, is still to be carried out. */
let isOpen = false;

async function deleteChosen() {
  const made = [];
  await inChunks(t("Deleted"), async (ids) => {
    const answer = await answered("POST", "/api/deletions", { ids, by: author() });
    if (answer?.id) made.push(answer.id);
    return answer;
  });
  if (made.length) $("message").append(quietly(t("Undo"), () => bringBack(made)));
  isOpen = true;
  await followDeletions();
}

async function bringBack(ids) {
  let last = null;
  for (const id of ids) {
    await carriedOut(id);
    last = await answered("POST", `/api/deletions/${id}/undo`) || last;
  }
  if (last) announce(t("They will be back soon."));
  isOpen = true;
  await showDeletions();
}

/** Waits until a deletion is complete, half a minute at most. */
async function carriedOut(id) {
  for (let n = 0; n < 30; n += 1) {
    const { answer } = await call("GET", "/api/deletions");
    if (!(Array.isArray(answer) && answer.some((item) => item.id === id && item.state === "deleting"))) return;
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
  }
}

function deletionEntry(item) {
  const names = item.names.slice(0, 3).join(", ") + (item.names.length > 3 ? ", …" : "");
  const kept = Object.entries(item.kept).map(([name, reason]) => `${name}: ${reason}`);
  const problem = [item.error, ...kept].filter(Boolean).join("; ");
  const states = { deleting: t("being deleted"), restoring: t("being brought back"), restored: t("brought back"), emptying: t("being deleted for good") };
  return make("li", {}, make("span", {}, `${plural(item.documents, "document")}: ${names} `, make("span", { class: "soft" }, [item.by, time(item.at), states[item.state]].filter(Boolean).join(" · ")), problem ? make("span", { class: "review" }, ` ${t("not done: {reason}", { reason: problem })}`) : null),
    mayChange && item.state === "deleted" && item.documents ? quietly(t("Bring back"), () => bringBack([item.id])) : null);
}

async function showDeletions() {
  const { status, answer } = await call("GET", "/api/deletions");
  if (status !== 200) return;
  isOpen = answer.some((item) => item.state === "deleting" || item.state === "restoring");
  const shown = answer.filter((item) => item.state !== "restored");
  $("trash").hidden = !shown.length;
  $("deletions").replaceChildren(...shown.map(deletionEntry));
}

const followDeletions = () => (isOpen ? showDeletions() : null);
