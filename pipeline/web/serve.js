// Uploads files, updates the parts of a page that have changed, and sends forms to the API.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const main = $("#main");
  const announce = (text) => { $("#message").textContent = text; };
  const author = $("#author");
  try { author.value = localStorage.getItem("author") || localStorage.getItem("who") || ""; } catch { /* the browser forbids storage */ }
  author.addEventListener("change", () => { try { localStorage.setItem("author", author.value); } catch { /* the browser forbids storage */ } });
  const authorName = () => author.value.trim();

  async function call(method, url, body) {
    const options = { method, headers: {} };
    if (body !== undefined) { options.headers["content-type"] = "application/json"; options.body = JSON.stringify(body); }
    let response;
    try { response = await fetch(url, options); } catch { return { status: 0, answer: { detail: "the server does not answer" } }; }
    let answer = {};
    try { answer = await response.json(); } catch { /* not JSON */ }
    return { status: response.status, answer };
  }
  const detail = (answer) => typeof answer.detail === "string" ? answer.detail : (answer.detail || []).map((item) => item.msg).join("; ");

  // ---- parts of the page that are updated ---------------------------------------------------------
  async function refresh(url, ...ids) {
    let text;
    try { text = await (await fetch(url, { headers: { accept: "text/html" } })).text(); } catch { return; }
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const id of ids) {
      const old = document.getElementById(id), now = page.getElementById(id);
      if (old && now) old.replaceWith(document.adoptNode(now));
    }
    const active = $("[data-field]:hover, [data-field]:focus-within");
    if (active) mark(active.dataset.field, true);
  }
  async function loadPageImage() {
    const holder = $("[data-load]");
    if (holder) await refresh(holder.dataset.load, "page-image");
  }
  loadPageImage();

  const editing = () => $(".edit[open]") !== null || Boolean($("#unlock")?.password.value);
  let marker = $("[data-marker]")?.dataset.marker, failures = 0;
  async function poll() {
    const { status, answer } = await call("GET", "/api/status");
    failures = status === 200 ? 0 : failures + 1;
    if (failures === 3) announce("The server does not answer. Saved corrections are kept.");
    if (status === 200) {
      const changed = answer.marker !== marker;
      const here = location.pathname + location.search;
      if (main.dataset.id) {
        if (changed && !$("#page-image")) { await refresh(here, "head", "values", "pages"); await loadPageImage(); marker = answer.marker; } // the first result
        else if (changed && !editing()) { await refresh(here, "head", "values"); await refreshQuestions(here); await refreshQuestionForm(here); await refresh(`/documents/${main.dataset.id}/pages/${main.dataset.page}`, "page-image"); marker = answer.marker; }
        else if (changed) await refreshQuestions(here);
      } else {
        await refresh(here, "progress", ...(changed ? ["results"] : []));
        marker = answer.marker;
      }
    }
    setTimeout(poll, answer.run?.state === "reading" || failures ? 1000 : 2000);
  }
  function scrollToLastQuestion() {
    const questions = $("#questions");
    if (questions) questions.scrollTop = questions.scrollHeight;
  }
  scrollToLastQuestion();
  async function refreshQuestions(here) {
    await refresh(here, "questions");
    scrollToLastQuestion();
  }
  async function refreshQuestionForm(here) {
    const form = $("#ask");
    if (!form || form.contains(document.activeElement) || form.question.value) return;
    await refresh(here, "ask");
  }
  if ($("[data-marker]")) setTimeout(poll, 1000);

  // ---- files ------------------------------------------------------------------------------------
  const drop = $("#drop");
  function uploadMessage(answer) {
    return answer.already ? `${answer.file}: these contents are in the inbox already` : `${answer.file}: in the inbox`;
  }
  function send(file) {
    const line = document.createElement("li");
    line.textContent = `${file.name}: waiting`;
    $("#uploads").prepend(line);
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", file.name);
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      const template = $("#template").value;
      request.open("PUT", `/api/files/${encodeURIComponent(file.name.replaceAll("/", "_"))}${template ? `?template=${encodeURIComponent(template)}` : ""}`);
      request.upload.onprogress = (event) => { bar.max = event.total; bar.value = event.loaded; };
      request.onloadend = () => {
        let answer = {};
        try { answer = JSON.parse(request.responseText); } catch { /* not JSON */ }
        line.textContent = request.status === 201 ? uploadMessage(answer) : `${file.name}: refused: ${detail(answer) || "the connection was lost"}`;
        line.className = request.status === 201 ? "good" : "review";
        resolve(request.status === 201);
      };
      line.textContent = file.name;
      line.append(bar);
      request.send(file);
    });
  }
  async function sendAll(files) {
    const list = [...files], count = `${list.length} file${list.length === 1 ? "" : "s"}`;
    announce(`Sending ${count}`);
    let refused = 0;
    for (const file of list) if (!await send(file)) refused += 1;
    announce(refused ? `${refused} of ${count} refused, see below` : `${count} sent`);
  }
  // A dropped folder is an entry, which lists its files in several parts.
  async function filesOf(entry) {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const reader = entry.createReader(), files = [];
    for (;;) {
      const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!entries.length) return files;
      for (const child of entries) if (!child.name.startsWith(".")) files.push(...await filesOf(child));
    }
  }
  async function droppedFiles(transfer) {
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()), files = [...transfer.files];
    if (!entries.some((entry) => entry?.isDirectory)) return files;
    const collected = [];
    try { for (const entry of entries) if (entry) collected.push(...await filesOf(entry)); } catch { announce("The folder cannot be read."); }
    return collected;
  }
  if (drop) {
    $("#files").addEventListener("change", (event) => { sendAll(event.target.files); event.target.value = ""; });
    for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.toggle("over", kind === "dragover"); });
    document.addEventListener("dragleave", () => drop.classList.remove("over"));
    document.addEventListener("drop", (event) => { if (event.dataTransfer?.files.length) droppedFiles(event.dataTransfer).then(sendAll); });
  }

  // ---- values and their boxes -------------------------------------------------------------------
  function mark(field, on) {
    for (const item of document.querySelectorAll("[data-field]")) if (item.dataset.field === field) item.classList.toggle("on", on);
  }
  for (const [kind, on] of [["mouseover", true], ["mouseout", false], ["focusin", true], ["focusout", false]]) {
    document.addEventListener(kind, (event) => { const item = event.target.closest?.("[data-field]"); if (item) mark(item.dataset.field, on); });
  }
  document.addEventListener("click", (event) => { // on a phone the page is far below its values
    const row = event.target.closest?.("li[data-field]");
    if (row && !event.target.closest("a, button, input, textarea, select, summary, form")) for (const box of document.querySelectorAll("rect[data-field]")) if (box.dataset.field === row.dataset.field) box.scrollIntoView({ block: "center" });
  });
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("rect[data-field]");
    const row = box && [...document.querySelectorAll("li[data-field]")].find((item) => item.dataset.field === box.dataset.field);
    if (row) { row.scrollIntoView({ block: "center" }); $("summary", row)?.focus(); }
  });

  // ---- corrections ------------------------------------------------------------------------------
  function enteredValue(form) {
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
  async function save(form, value, withdraw) {
    const { url, version } = form.dataset, error = $(".refused", form), field = form.closest("li").dataset.field;
    const { status, answer } = withdraw
      ? await call("DELETE", `${url}?version=${version}&by=${encodeURIComponent(authorName())}`)
      : await call("PUT", url, { value: empty(value), version: Number(version), by: authorName() });
    if (status === 409) {
      const current = answer.current;
      const change = current.withdrawn ? "withdrew the correction" : `entered ${JSON.stringify(current.value)}`;
      error.textContent = `${current.by} ${change} in the meantime (${current.at.slice(0, 16).replace("T", " ")}). Your value is not saved. Save again to replace theirs.`;
      error.hidden = false;
      form.dataset.version = current.version;
      return;
    }
    if (status !== 200) { error.textContent = detail(answer); error.hidden = false; return; }
    announce("Saved.");
    form.closest("details").open = false;
    const here = location.pathname + location.search;
    await refresh(here, "head", "values");
    await refresh(`/documents/${main.dataset.id}/pages/${main.dataset.page}`, "page-image");
    const row = [...document.querySelectorAll("li[data-field]")].find((item) => item.dataset.field === field);
    if (row) $("summary", row)?.focus();
  }
  async function changeSplit(form, method, body) {
    const { status, answer } = await call(method, `/api/documents/${main.dataset.id}/split`, body);
    if (status !== 202) { announce(detail(answer)); return; }
    location.assign(`/documents/${form.dataset.file}`);
  }
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.matches(".edit form")) { event.preventDefault(); await save(form, enteredValue(form)); }
    if (form.id === "ask") {
      event.preventDefault();
      const follows = form.follow?.checked && form.dataset.last ? Number(form.dataset.last) : null;
      const { status, answer } = await call("POST", `/api/documents/${main.dataset.id}/questions`, { page: Number(main.dataset.page), question: form.question.value, follows, by: authorName() });
      if (status !== 202) { announce(detail(answer)); return; }
      form.question.value = "";
      await refresh(location.pathname + location.search, "questions", "ask");
      scrollToLastQuestion();
      $("#ask [name=question]").focus();
    }
    if (form.id === "split") {
      event.preventDefault();
      await changeSplit(form, "PUT", { pages: form.pages.value, by: authorName() });
    }
    if (form.id === "unlock") {
      event.preventDefault();
      const error = $(".refused", form), button = $("button", form), password = form.password.value;
      form.password.value = "";
      button.disabled = true;
      announce("The password is being tried.");
      const { status, answer } = await call("POST", form.getAttribute("action"), { password, by: authorName() });
      button.disabled = false;
      if (status !== 202) { error.textContent = detail(answer); error.hidden = false; announce(""); form.password.focus(); return; }
      announce("Unlocked. It will be read soon.");
      await refresh(location.pathname + location.search, "head");
    }
    if (form.id === "reread") {
      event.preventDefault();
      const { status, answer } = await call("POST", `/api/documents/${main.dataset.id}/readings`, { template: form.template.value || null, engine: form.engine.value || null, by: authorName() });
      if (status !== 202) { announce(detail(answer)); return; }
      announce("It will be read again soon.");
      await refresh(location.pathname + location.search, "head");
    }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-do]");
    if (!button) return;
    const form = button.closest("form");
    if (button.dataset.do === "unsplit") changeSplit(form, "DELETE");
    if (button.dataset.do === "confirm") save(form, JSON.parse(form.dataset.value));
    if (button.dataset.do === "null") save(form, null);
    if (button.dataset.do === "withdraw") save(form, null, true);
    if (button.dataset.do === "row") {
      const last = $("tbody tr:last-child", form), row = last.cloneNode(true);
      for (const cell of row.querySelectorAll("input")) cell.value = "";
      last.after(row);
      $("input", row).focus();
    }
  });
})();
