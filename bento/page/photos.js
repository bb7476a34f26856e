// The photos of the query: picked, dropped or pasted.
import { find, make } from "./make.js";
import { say } from "./words.js";

const MOST = 8;
let chosen = []; // {file, url}

export const photos = () => chosen;

export function show(changed) {
  find("photos").replaceChildren(...chosen.map((photo, number) => make("li", {},
    make("img", { src: photo.url, alt: `${say("yourPhoto")} ${number + 1}` }),
    make("button", { type: "button", onclick: () => { forget(photo); changed(); } }, say("remove")))));
  find("balance").hidden = !chosen.length || !find("text").value.trim();
}

function forget(photo) {
  URL.revokeObjectURL(photo.url);
  chosen = chosen.filter((other) => other !== photo);
}

function take(files, changed, wrong) {
  const pictures = [...files].filter((file) => file.type.startsWith("image/"));
  if (!pictures.length) return files.length ? wrong(say("badPhoto")) : undefined;
  if (chosen.length + pictures.length > MOST) return wrong(say("tooMany"));
  chosen = [...chosen, ...pictures.map((file) => ({ file, url: URL.createObjectURL(file) }))];
  return changed();
}

export function listen(changed, wrong) {
  find("photo").addEventListener("change", (event) => {
    take(event.target.files, changed, wrong);
    event.target.value = "";
  });
  document.addEventListener("paste", (event) => {
    const files = event.clipboardData?.files ?? [];
    if (files.length) {
      event.preventDefault();
      take(files, changed, wrong);
    }
  });
  const over = find("drop");
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    over.hidden = false;
  });
  document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over.hidden = true; });
  document.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    over.hidden = true;
    take(event.dataTransfer.files, changed, wrong);
  });
}
