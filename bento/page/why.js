// Why this hit: what adds up, words, attributes, and heat maps over the photo and over the product's picture.
import { picture } from "./api.js";
import { find, make } from "./make.js";
import { fieldName, language, say } from "./words.js";

export async function open(hit, told, photos) {
  const dialog = find("why");
  find("reasons").replaceChildren(make("p", { role: "status" }, say("loading")));
  dialog.showModal();
  try {
    const answer = await told();
    const again = answer.hits.find((other) => other.id === hit.id);
    find("reasons").replaceChildren(...(again?.reasons ? reasons(again, photos) : [make("p", {}, say("noReasons"))]));
  } catch (refused) {
    find("reasons").replaceChildren(make("p", { role: "alert" }, refused.message));
  }
}

function reasons(hit, photos) {
  const why = hit.reasons;
  const legs = why.legs.map((own) => [say(own.leg === "attributes" ? "leg_attributes" : own.leg), own.adds, own.rank ? `#${own.rank}` : ""]);
  if (why.late) legs.push([say("late_stage"), why.late.adds, ""]);
  return [
    make("p", {}, make("strong", {}, hit.title || hit.id)),
    ...why.photos.map((map) => figure(photos[map.photo]?.url, map, say("yourPhoto"), say("matters"))).filter(Boolean).slice(0, 2),
    why.picture && hit.images?.[0] ? pictured(hit.images[0], why.picture) : "",
    ...section(say("words"), why.words.length && bars(why.words.map((own) => [own.text, own.loses, own.met.map(fieldName).join(", ")]))),
    ...section(say("attributes"), why.attributes.length && make("ul", {}, ...why.attributes.map(wanted))),
    ...section(say("adds"), bars(legs)),
    why.is_score ? "" : make("p", { class: "quiet" }, say("ranked")),
    why.left_out.length ? make("p", { class: "quiet" }, say("leftOut")) : "",
  ].filter(Boolean);
}

const section = (title, content) => (content ? [make("h3", {}, title), content] : []);

function bars(rows) {
  const most = Math.max(...rows.map(([, value]) => Math.abs(value)), 1e-9);
  return make("dl", { class: "bars" }, ...rows.flatMap(([name, value, beside]) => [
    make("dt", {}, name),
    make("dd", {}, make("meter", { min: 0, max: most, value: Math.max(value, 0), "aria-label": name })),
    make("dd", {}, `${value.toFixed(3)} ${beside}`.trim()),
  ]));
}

function wanted(own) {
  const names = [...new Set([own.names[language()] ?? own.value, own.value, ...Object.values(own.names)])].join(" / ");
  const said = own.how === "photo" ? say("shows") : own.how === "product" ? say("both") : `“${own.text}”`;
  const has = own.has.join(", ") || say("untold");
  return make("li", {}, `${said}: ${own.negated ? `${say("not")} ` : ""}${fieldName(own.field)} ${names}; ${say("has")}: ${has}`);
}

function pictured(id, map) {
  const place = make("div", { class: "maps" });
  picture(id).then((url) => place.append(figure(url, map, say("itsPhoto"), say("seen"))), () => {});
  return place;
}

function figure(url, map, name, caption) {
  if (!url || !map.frame) return null;
  const over = heat(map.cells);
  const [left, top, right, bottom] = map.frame.map((edge) => edge * 100);
  Object.assign(over.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
  return make("figure", {}, make("div", { class: "map" }, make("img", { src: url, alt: name }), over), make("figcaption", {}, `${name}. ${caption}`));
}

// One pixel a cell; the browser blurs it when it is stretched over the picture.
function heat(cells) {
  const canvas = make("canvas", { width: cells[0].length, height: cells.length, "aria-hidden": "true" });
  const most = Math.max(...cells.flat(), 1e-9), draw = canvas.getContext("2d");
  cells.forEach((row, y) => row.forEach((cell, x) => {
    const much = Math.max(cell, 0) / most;
    draw.fillStyle = `rgb(255 ${Math.round(255 - 170 * much)} ${Math.round(255 - 225 * much)})`;
    draw.fillRect(x, y, 1, 1);
  }));
  return canvas;
}
