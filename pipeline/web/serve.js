// What the pages do besides showing: files go up, parts of a page are fetched again when something changed, forms speak to the API.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const main = $("#main");
  const say = (text) => { $("#said").textContent = text; };
  const who = $("#who");
  try { who.value = localStorage.getItem("who") || ""; } catch { /* a browser that keeps nothing */ }
  who.addEventListener("change", () => { try { localStorage.setItem("who", who.value); } catch { /* as above */ } });
  const by = () => who.value.trim();

  async function call(method, url, body) {
    const options = { method, headers: {} };
    if (body !== undefined) { options.headers["content-type"] = "application/json"; options.body = JSON.stringify(body); }
    let reply;
    try { reply = await fetch(url, options); } catch { return { status: 0, told: { detail: "the server is not there" } }; }
    let told = {};
    try { told = await reply.json(); } catch { /* no JSON */ }
    return { status: reply.status, told };
  }
  const detail = (told) => typeof told.detail === "string" ? told.detail : (told.detail || []).map((item) => item.msg).join("; ");

  // ---- parts of the page, fetched again ---------------------------------------------------------
  async function again(url, ...ids) {
    let text;
    try { text = await (await fetch(url, { headers: { accept: "text/html" } })).text(); } catch { return; }
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const id of ids) {
      const old = document.getElementById(id), now = fresh.getElementById(id);
      if (old && now) old.replaceWith(document.adoptNode(now));
    }
    const inHand = $("[data-field]:hover, [data-field]:focus-within");
    if (inHand) mark(inHand.dataset.field, true);
  }
  async function load() {
    const place = $("[data-load]");
    if (place) await again(place.dataset.load, "paper");
  }
  load();

  const editing = () => $(".edit[open]") !== null;
  let marker = $("[data-marker]")?.dataset.marker, failures = 0;
  async function poll() {
    const { status, told } = await call("GET", "/api/status");
    failures = status === 200 ? 0 : failures + 1;
    if (failures === 3) say("The server is not there; what was saved is kept.");
    if (status === 200) {
      const changed = told.marker !== marker;
      const here = location.pathname + location.search;
      if (main.dataset.id) {
        if (changed && !$("#paper")) { await again(here, "head", "values", "pages"); await load(); marker = told.marker; } // it was not read until now
        else if (changed && !editing()) { await again(here, "head", "values"); await newTalk(here); await refreshAsk(here); await again(`/documents/${main.dataset.id}/pages/${main.dataset.page}`, "paper"); marker = told.marker; }
        else if (changed) await newTalk(here);
      } else {
        await again(here, "progress", ...(changed ? ["results"] : []));
        marker = told.marker;
      }
    }
    setTimeout(poll, told.run?.state === "reading" || failures ? 1000 : 2000);
  }
  function toTheLast() {
    const talk = $("#talk");
    if (talk) talk.scrollTop = talk.scrollHeight;
  }
  toTheLast();
  async function newTalk(here) {
    await again(here, "talk");
    toTheLast();
  }
  async function refreshAsk(here) {
    const form = $("#ask");
    if (!form || form.contains(document.activeElement) || form.question.value) return;
    await again(here, "ask");
  }
  if ($("[data-marker]")) setTimeout(poll, 1000);

  // ---- files ------------------------------------------------------------------------------------
  const drop = $("#drop");
  function taken(told) {
    if (told.members.length) return [`${told.file}: ${told.members.length} file${told.members.length === 1 ? "" : "s"} in the inbox${told.already ? " already" : ""}`, ...told.passed].join("; ");
    return told.already ? `${told.file}: these contents are in the inbox already` : `${told.file}: in the inbox`;
  }
  function send(file) {
    const line = document.createElement("li");
    line.textContent = `${file.name}: waiting`;
    $("#uploads").prepend(line);
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", file.name);
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      const as = $("#as").value;
      request.open("PUT", `/api/files/${encodeURIComponent(file.name.replaceAll("/", "_"))}${as ? `?template=${encodeURIComponent(as)}` : ""}`);
      request.upload.onprogress = (event) => { bar.max = event.total; bar.value = event.loaded; };
      request.onloadend = () => {
        let told = {};
        try { told = JSON.parse(request.responseText); } catch { /* no JSON */ }
        line.textContent = request.status === 201 ? taken(told) : `${file.name}: refused: ${detail(told) || "the connection broke"}`;
        line.className = request.status === 201 && !told.passed.length ? "good" : "look";
        resolve(request.status === 201);
      };
      line.textContent = file.name;
      line.append(bar);
      request.send(file);
    });
  }
  async function sendAll(files) {
    const list = [...files], many = `${list.length} file${list.length === 1 ? "" : "s"}`;
    say(`${many} going up`);
    let refused = 0;
    for (const file of list) if (!await send(file)) refused += 1;
    say(refused ? `${refused} of ${many} refused, see below` : `${many} sent`);
  }
  // folders come as entries, which give their files one after the other
  async function within(entry) {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const reader = entry.createReader(), found = [];
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return found;
      for (const one of some) if (!one.name.startsWith(".")) found.push(...await within(one));
    }
  }
  async function dropped(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()), files = [...transfer.files];
    if (!entries.some((entry) => entry?.isDirectory)) return files;
    const found = [];
    try { for (const entry of entries) if (entry) found.push(...await within(entry)); } catch { say("The folder cannot be read."); }
    return found;
  }
  if (drop) {
    $("#files").addEventListener("change", (event) => { sendAll(event.target.files); event.target.value = ""; });
    for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.toggle("over", kind === "dragover"); });
    document.addEventListener("dragleave", () => drop.classList.remove("over"));
    document.addEventListener("drop", (event) => { if (event.dataTransfer?.files.length) dropped(event.dataTransfer).then(sendAll); });
  }

  // ---- values and their boxes -------------------------------------------------------------------
  function mark(field, on) {
    for (const item of document.querySelectorAll("[data-field]")) if (item.dataset.field === field) item.classList.toggle("on", on);
  }
  for (const [kind, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(kind, (event) => { const item = event.target.closest?.("[data-field]"); if (item) mark(item.dataset.field, on); });
  }
  document.addEventListener("click", (event) => { // on a phone the page lies far below its values
    const row = event.target.closest?.("li[data-field]");
    if (row && !event.target.closest("a, button, input, textarea, select, summary, form")) for (const box of document.querySelectorAll("rect[data-field]")) if (box.dataset.field === row.dataset.field) box.scrollIntoView({ block: "center" });
  });
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("rect[data-field]");
    const row = box && [...document.querySelectorAll("li[data-field]")].find((item) => item.dataset.field === box.dataset.field);
    if (row) { row.scrollIntoView({ block: "center" }); $("summary", row)?.focus(); }
  });

  // ---- corrections ------------------------------------------------------------------------------
  function written(form) {
    const boxes = [...form.querySelectorAll("[name=value]")].map((box) => box.value);
    if (form.dataset.kind === "many") return boxes[0].split("\n").map((line) => line.trim()).filter(Boolean);
    if (form.dataset.kind === "texts") return boxes;
    if (form.dataset.kind === "table") {
      const columns = JSON.parse($(".grid", form).dataset.columns);
      const rows = [...form.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("input")].map((cell) => cell.value.trim()));
      return rows.filter((row) => row.some(Boolean)).map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at] || null])));
    }
    return boxes[0].trim() === "" ? null : boxes[0];
  }
  const empty = (value) => (Array.isArray(value) && value.length === 0 ? null : value);
  async function keep(form, value, withdraw) {
    const { url, version } = form.dataset, refused = $(".refused", form), field = form.closest("li").dataset.field;
    const { status, told } = withdraw
      ? await call("DELETE", `${url}?version=${version}&by=${encodeURIComponent(by())}`)
      : await call("PUT", url, { value: empty(value), version: Number(version), by: by() });
    if (status === 409) {
      const now = told.current;
      const value = now.withdrawn ? "took the correction back" : `said ${JSON.stringify(now.value)}`;
      refused.textContent = `${now.by} ${value} meanwhile (${now.at.slice(0, 16).replace("T", " ")}). Nothing of yours was saved; save again to put yours in its place.`;
      refused.hidden = false;
      form.dataset.version = now.version;
      return;
    }
    if (status !== 200) { refused.textContent = detail(told); refused.hidden = false; return; }
    say("Saved.");
    form.closest("details").open = false;
    const here = location.pathname + location.search;
    await again(here, "head", "values");
    await again(`/documents/${main.dataset.id}/pages/${main.dataset.page}`, "paper");
    const row = [...document.querySelectorAll("li[data-field]")].find((item) => item.dataset.field === field);
    if (row) $("summary", row)?.focus();
  }
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.matches(".edit form")) { event.preventDefault(); await keep(form, written(form)); }
    if (form.id === "ask") {
      event.preventDefault();
      const follows = form.follow?.checked && form.dataset.last ? Number(form.dataset.last) : null;
      const { status, told } = await call("POST", `/api/documents/${main.dataset.id}/questions`, { page: Number(main.dataset.page), question: form.question.value, follows, by: by() });
      if (status !== 202) { say(detail(told)); return; }
      form.question.value = "";
      await again(location.pathname + location.search, "talk", "ask");
      toTheLast();
      $("#ask [name=question]").focus();
    }
    if (form.id === "again") {
      event.preventDefault();
      const { status, told } = await call("POST", `/api/documents/${main.dataset.id}/readings`, { template: form.template.value || null, engine: form.engine.value || null, by: by() });
      if (status !== 202) { say(detail(told)); return; }
      say("It is read again when its turn comes.");
      await again(location.pathname + location.search, "head");
    }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-do]");
    if (!button) return;
    const form = button.closest("form");
    if (button.dataset.do === "confirm") keep(form, JSON.parse(form.dataset.value));
    if (button.dataset.do === "null") keep(form, null);
    if (button.dataset.do === "withdraw") keep(form, null, true);
    if (button.dataset.do === "row") {
      const last = $("tbody tr:last-child", form), row = last.cloneNode(true);
      for (const cell of row.querySelectorAll("input")) cell.value = "";
      last.after(row);
      $("input", row).focus();
    }
  });
})();
