// Filters: price, stock, and checkboxes with counts. A field that is narrowed keeps the values that it had before.
import { find, make } from "./make.js";
import { fieldName } from "./words.js";

const SHOWN = 8; // values of a field before "more"
let ticked = {}; // field -> set of values
let known = {}; // field -> counts, as the last answer gave them that was not narrowed by the field

export function filters() {
  const found = {};
  for (const [field, values] of Object.entries(ticked)) if (values.size) found[field] = [...values];
  const price = {};
  for (const [id, bound] of [["least", "gte"], ["most", "lte"]]) {
    const typed = find(id).value.trim().replace(",", ".");
    if (typed && Number.isFinite(Number(typed))) price[bound] = Number(typed);
  }
  if (Object.keys(price).length) found.price = price;
  if (find("stock").checked) found.in_stock = true;
  return found;
}

export function clear() {
  ticked = {};
  for (const id of ["least", "most"]) find(id).value = "";
  find("stock").checked = false;
}

export function listen(changed) {
  for (const id of ["least", "most", "stock"]) find(id).addEventListener("change", changed);
  find("clear").addEventListener("click", () => { clear(); changed(); });
}

export function show(facets, changed) {
  for (const [field, counts] of Object.entries(facets)) if (!ticked[field]?.size || !known[field]) known[field] = counts;
  const fields = Object.keys(facets).filter((field) => known[field].length > 1 || ticked[field]?.size);
  const focused = document.activeElement?.id;
  find("facets").replaceChildren(...fields.map((field) => drawn(field, facets[field], changed)));
  find("narrow").hidden = false;
  if (focused) document.getElementById(focused)?.focus();
}

function drawn(field, counts, changed) {
  const now = new Map(counts.map((own) => [own.value, own.count]));
  const boxes = known[field].map((own, number) => {
    const box = make("input", { type: "checkbox", id: `facet-${field}-${number}`, onchange: () => {
      ticked[field] ??= new Set();
      ticked[field][box.checked ? "add" : "delete"](own.value);
      changed();
    } });
    box.checked = ticked[field]?.has(own.value) ?? false;
    const count = ticked[field]?.size ? own.count : now.get(own.value) ?? 0;
    return make("label", { class: "check" }, box, make("span", {}, own.value), make("span", { class: "count" }, String(count)));
  });
  const rest = boxes.slice(SHOWN);
  const more = rest.length ? make("details", {}, make("summary", {}, `+ ${rest.length}`), ...rest) : null;
  return make("fieldset", {}, make("legend", {}, fieldName(field)), ...boxes.slice(0, SHOWN), more);
}
