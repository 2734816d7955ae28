/* The parts of the page that follow the server. */

async function refresh(...ids) {
  let text;
  try { text = await (await fetch(location.pathname + location.search, { headers: { accept: "text/html" } })).text(); } catch { return; }
  const page = new DOMParser().parseFromString(text, "text/html");
  for (const id of ids) {
    const old = $(id), now = page.getElementById(id);
    if (old && now) old.replaceWith(document.adoptNode(now));
  }
  showChoice();
}

/** Looks for changes every two seconds; more often while documents are read. */
function followServer() {
  let { marker } = $("progress").dataset, failures = 0;
  const poll = async () => {
    const { status, answer } = await call("GET", "/api/status");
    failures = status === 200 ? 0 : failures + 1;
    if (failures === 3) announce(t("The server does not answer. Saved corrections are kept."));
    if (status === 200) {
      await refresh("progress", ...(answer.marker === marker ? [] : ["results"]));
      marker = answer.marker;
      await followDeletions();
    }
    setTimeout(poll, answer.run?.state === "reading" || failures ? 1000 : 2000);
  };
  setTimeout(poll, 1000);
}
