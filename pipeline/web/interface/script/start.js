/* Starts the page: colours, filters, the first document, and changes on the server. */

const themes = { auto: t("Colours: automatic"), light: t("Colours: light"), dark: t("Colours: dark") };
function applyTheme(theme) {
  document.documentElement.dataset.theme = theme;
  $("theme").textContent = themes[theme];
  stored.set("pipeline-review-theme", theme);
}

/** Loads the document that is shown once more, unless something is being edited. */
async function reload() {
  if (!current) return;
  const item = current, loaded = await source.load(item);
  if (loaded && current === item && !editor && !table) showDocument(loaded);
}

/** Whether somebody types into the document, or moves pages of a stack. */
const isTyping = () => main.contains(document.activeElement) && document.activeElement.matches("input, textarea, select") || Boolean(main.querySelector(".stack.changed"));

/** Looks for changes on the server every two seconds, and shows them unless something is being edited. */
function watchServer() {
  let marker = null, failures = 0;
  const poll = async () => {
    const { status, answer } = await call("GET", "/api/status");
    failures = status === 200 ? 0 : failures + 1;
    if (failures === 3) announce(t("The server does not answer. Saved corrections are kept."));
    if (status === 200) {
      const typing = isTyping();
      if (answer.marker !== marker) await filter();
      marker = answer.marker;
      if (current && current.marker !== answer.marker && !typing) await reload(); // also what changed between loading it and the first look
    }
    setTimeout(poll, 2000);
  };
  setTimeout(poll, 1000);
  addEventListener("beforeunload", (event) => { if (hasUnsaved()) event.preventDefault(); });
}

function start() {
  for (const [state, text] of Object.entries(source.states)) {
    $("states").append(make("label", {}, make("input", { type: "radio", name: "state", value: state, checked: state === source.firstState }), `${text} `, make("b", { id: `count-${state}` })));
  }
  for (const name of source.templates()) $("template").append(make("option", { value: name }, name));
  $("theme").addEventListener("click", () => { const names = Object.keys(themes); applyTheme(names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length]); });
  const theme = stored.get("pipeline-review-theme");
  applyTheme(theme in themes ? theme : "auto");
  $("help-open").addEventListener("click", () => $("help").showModal());
  $("filters").addEventListener("submit", (event) => { event.preventDefault(); when(filter(), () => { if (listed[0]) openDocument(listed[0], "list"); }); });
  let typing = 0;
  $("filters").addEventListener("input", (event) => {
    clearTimeout(typing);
    if (source.editable && event.target.id === "text") typing = setTimeout(filter, 250);
    else filter();
  });
  list.addEventListener("click", (event) => {
    const link = event.target.closest(".item"), entry = link && listed.find((other) => other.link === link);
    if (!entry || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openDocument(entry, narrow.matches && "heading");
  });
  for (const kind of ["hashchange", "popstate"]) addEventListener(kind, openFromAddress);
  if ($("about")) {
    const notes = [about.written && t("Written {time}", { time: time(about.written) }), about.selection, about.left_out ? t("{documents} left out", { documents: plural(about.left_out, "older document") }) : ""];
    $("about").textContent = notes.filter(Boolean).join(" · ");
  }
  const name = $("author");
  if (name) {
    name.value = stored.get("author") || "";
    name.addEventListener("change", () => stored.set("author", name.value));
  }
  listenToKeys();
  rubberBand();
  when(filter(), openFromAddress);
  if (source.editable) watchServer();
}

start();
