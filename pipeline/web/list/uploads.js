/* Files into the inbox: chosen or dropped, also whole folders, one after the other. */

const uploadMessage = (answer) => (answer.already ? t("{file}: these contents are in the inbox already", { file: answer.file }) : t("{file}: in the inbox", { file: answer.file }));

const SHOWN_ONE_BY_ONE = 5; // of files that were taken

/** What to do about a file that was refused. */
function remedy(status) {
  if (status === 0) return t("the connection was lost");
  if (status === 413) return t("it is too large: split it, or raise limits.megabytes in the settings");
  if (status === 408) return t("the connection is too slow: copy the file into the inbox");
  if (status === 503) return t("free disk space, or check who may write to the inbox");
  return "";
}

/** Sends one file; ``folder`` is its folder below the inbox. */
function send(file, folder, line) {
  const path = folder ? `${folder}/${file.name}` : file.name;
  line.className = "";
  const bar = make("progress", { "aria-label": path });
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const query = new URLSearchParams({ template: $("template").value, folder });
    request.open("PUT", `/api/files/${encodeURIComponent(file.name.replaceAll("/", "_"))}?${query}`);
    request.upload.onprogress = (event) => { bar.max = event.total; bar.value = event.loaded; };
    request.onloadend = () => {
      let answer = {};
      try { answer = JSON.parse(request.responseText); } catch { /* not JSON */ }
      const done = request.status === 201;
      const reasons = [request.status ? detail(answer) : "", remedy(request.status)].filter(Boolean).join("; ");
      line.textContent = done ? uploadMessage(answer) : t("{file}: refused: {reason}", { file: path, reason: reasons || request.status });
      line.className = done ? "good" : "review";
      if (!done && [0, 408, 503].includes(request.status)) line.append(" ", quietly(t("Try again"), () => send(file, folder, line)));
      resolve(done);
    };
    line.textContent = path;
    line.append(bar);
    request.send(file);
  });
}

async function sendAll(files) {
  const list = [...files], count = plural(list.length, "file");
  announce(t("{files} are being sent", { files: count }));
  const lines = list.map(({ file, folder }) => make("li", {}, t("{file}: waiting", { file: `${folder ? `${folder}/` : ""}${file.name}` })));
  $("uploads").prepend(...lines);
  let refused = 0;
  for (const [at, { file, folder }] of list.entries()) {
    if (!await send(file, folder, lines[at])) refused += 1;
    announce(t("{count} of {files} sent", { count: number(at + 1), files: count }));
  }
  const taken = lines.filter((line) => line.className === "good");
  if (taken.length > SHOWN_ONE_BY_ONE) {
    taken[0].replaceWith(make("li", { class: "good" }, t("{files} in the inbox; they appear in the list as they are read", { files: plural(taken.length, "file") })));
    for (const line of taken) line.remove(); // what was refused stays in sight, and the list does not move down
  }
  announce(refused ? t("{count} of {files} refused, see below", { count: number(refused), files: count }) : t("{files} sent", { files: count }));
}

const folderOf = (path) => path.split("/").slice(0, -1).filter(Boolean).join("/");
const withFolders = (files) => [...files].map((file) => ({ file, folder: folderOf(file.webkitRelativePath || "") }));

/** The files of a dropped entry. A folder lists its own in several parts. */
async function filesOf(entry) {
  if (entry.isFile) return [{ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), folder: folderOf(entry.fullPath) }];
  const reader = entry.createReader(), files = [];
  for (;;) {
    const found = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!found.length) return files;
    for (const child of found) if (!child.name.startsWith(".")) files.push(...await filesOf(child));
  }
}

async function droppedFiles(transfer) {
  const dropped = [...transfer.items].map((item) => item.webkitGetAsEntry?.()), files = withFolders(transfer.files);
  if (!dropped.some((entry) => entry?.isDirectory)) return files;
  const collected = [];
  try { for (const entry of dropped) if (entry) collected.push(...await filesOf(entry)); } catch { announce(t("The folder cannot be read.")); }
  return collected;
}

function takeFiles() {
  const drop = $("drop");
  if (!drop) return;
  for (const input of [$("files"), $("folder")]) input.addEventListener("change", (event) => { sendAll(withFolders(event.target.files)); event.target.value = ""; });
  for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.toggle("over", kind === "dragover"); });
  document.addEventListener("dragleave", () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => { if (event.dataTransfer?.files.length) droppedFiles(event.dataTransfer).then(sendAll); });
}
