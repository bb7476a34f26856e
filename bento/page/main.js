// The page: what is asked, what was answered, and what went wrong.
import * as api from "./api.js";
import * as facets from "./facets.js";
import * as hits from "./hits.js";
import { find, make } from "./make.js";
import * as chosen from "./photos.js";
import * as why from "./why.js";
import { fieldName, say, speak, usual } from "./words.js";

const COUNT = 24;
const SLOW = 1500; // milliseconds until the page says that it waits
let running = null; // AbortController of the request under way
let last = null; // what was asked last: {ask(explain, signal), photos}
let shown = null; // the last answer

function query() {
  return {
    text: find("text").value.trim(), photos: [...chosen.photos()], filters: facets.filters(), k: COUNT, facets: "*",
    text_weight: find("weight").value,
  };
}

const isEmpty = (asked) => !asked.text && !asked.photos.length;

function tell(sentence, wrong = false) {
  const state = find("state");
  state.className = wrong ? "wrong" : "";
  state.textContent = sentence;
}

function start() {
  const asked = query();
  if (isEmpty(asked)) return tell(say("start"));
  history.replaceState(null, "", asked.text ? `#q=${encodeURIComponent(asked.text)}` : "#");
  return run({ ask: (more, signal) => api.search({ ...asked, ...more }, signal), photos: asked.photos, title: "" });
}

function more(hit) {
  run({ ask: (extra, signal) => api.similar({ id: hit.id, k: extra.k ?? COUNT, explain: extra.explain ?? false }, signal), photos: [], title: hit.title || hit.id });
  find("results").focus();
}

async function run(asked) {
  last = asked;
  running?.abort();
  const own = (running = new AbortController());
  const slow = setTimeout(() => { find("wait").hidden = false; }, SLOW);
  find("again").hidden = true;
  tell(say("searching"));
  try {
    const answer = await asked.ask({}, own.signal);
    if (running === own) show(answer, asked);
  } catch (refused) {
    if (running !== own) return;
    if (own.signal.aborted) return tell(say("stopped"));
    if (refused.status === 401) {
      find("locked").hidden = false;
      find("key").focus();
    }
    find("again").hidden = false;
    tell(refused.message, true);
  } finally {
    clearTimeout(slow);
    if (running === own) find("wait").hidden = true;
  }
}

function show(answer, asked) {
  shown = { answer, asked };
  const told = answer.hits.length ? say("found", answer.hits.length, Math.round(answer.took_ms)) : say("nothing");
  tell(asked.title ? `${say("like", asked.title)}: ${told}` : told);
  understood(answer.understood);
  if (answer.facets) facets.show(answer.facets, start);
  hits.show(answer.hits, {
    more,
    why: (hit) => why.open(hit, () => asked.ask({ explain: true, k: Math.max(10, hit.rank), facets: undefined }), asked.photos),
  });
}

function understood(read) {
  const chips = (read?.facets ?? []).map((own) => `${own.negated ? `${say("not")} ` : ""}${fieldName(own.meanings[0].field)}: ${own.meanings[0].value}`);
  chips.push(...(read?.prices ?? []).filter((own) => own.applied).map((own) => `${say("price")}: ${own.text}`));
  find("understood").hidden = !chips.length;
  find("understood").replaceChildren(...chips.map((chip) => make("li", {}, chip)));
}

function changedPhotos() {
  chosen.show(changedPhotos);
  if (!isEmpty(query())) start();
}

function wire() {
  speak(usual());
  find("language").value = document.documentElement.lang;
  find("language").addEventListener("change", (event) => {
    speak(event.target.value);
    chosen.show(changedPhotos);
    if (shown) show(shown.answer, shown.asked);
    else tell(say("start"));
  });
  find("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    api.useKey(find("key").value);
    start();
  });
  find("text").addEventListener("input", () => chosen.show(changedPhotos));
  find("weight").addEventListener("change", start);
  find("stop").addEventListener("click", () => running?.abort());
  find("again").addEventListener("click", () => last && run(last));
  chosen.listen(changedPhotos, (sentence) => tell(sentence, true));
  facets.listen(start);
  if (matchMedia("(max-width: 45rem)").matches) find("folded").open = false;
  addEventListener("offline", () => tell(say("offline"), true));
  addEventListener("online", () => (last ? run(last) : tell(say("start"))));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName)) return;
    event.preventDefault();
    find("text").focus();
  });
  tell(say("start"));
  const linked = new URLSearchParams(location.hash.slice(1)).get("q");
  if (linked) {
    find("text").value = linked;
    start();
  }
}

wire();
