// The cards of the hits.
import { picture } from "./api.js";
import { find, make } from "./make.js";
import { language, say } from "./words.js";

export function show(hits, acts) {
  find("hits").replaceChildren(...hits.map((hit) => make("li", {}, card(hit, acts))));
}

function card(hit, acts) {
  const title = hit.title || hit.id;
  const facts = [hit.category?.at(-1), ...Object.values(hit.attributes ?? {})].filter(Boolean).slice(0, 5);
  return make("article", { "aria-label": title },
    shown(hit),
    make("div", { class: "told" },
      make("h3", {}, title),
      price(hit) && make("p", {}, price(hit)),
      make("p", { class: "quiet" }, facts.join(" · ")),
      make("div", { class: "acts" },
        make("button", { type: "button", "aria-label": `${say("more")}: ${title}`, onclick: () => acts.more(hit) }, say("more")),
        make("button", { type: "button", "aria-label": `${say("why")} ${title}`, onclick: () => acts.why(hit) }, say("why")))));
}

export function shown(hit) {
  const frame = make("div", { class: "shown none" });
  frame.append((hit.title || hit.id).slice(0, 1));
  const id = hit.images?.[0];
  if (id) {
    picture(id).then((url) => {
      frame.className = "shown";
      frame.replaceChildren(make("img", { src: url, alt: "" })); // the title beside it says what it is
    }, () => {});
  }
  return frame;
}

export function price(hit) {
  if (hit.price === null || hit.price === undefined) return "";
  try {
    return new Intl.NumberFormat(language(), hit.currency ? { style: "currency", currency: hit.currency } : {}).format(hit.price);
  } catch {
    return `${hit.price} ${hit.currency ?? ""}`.trim(); // a shop's own currency
  }
}
