// What the page says, in English and in Chinese. data-say: text of an element; data-say-label, -placeholder: attributes.
const WORDS = {
  en: {
    skip: "Skip to the results", language: "Language", ask: "What are you looking for?", example: "red dress · 蓝色牛仔裤",
    photo: "Photo", search: "Search", hint: "Or drop or paste photos anywhere on this page.", photos: "Your photos",
    photoCounts: "Photo counts", wordsCount: "words count", key: "API key", slow: "This takes longer than usual…", stop: "Stop",
    again: "Try again", understood: "Understood", filters: "Filters", price: "Price", from: "from", to: "to", inStock: "In stock",
    clear: "Clear filters", results: "Results", why: "Why this?", close: "Close", drop: "Drop photos here", start: "Type words, choose photos, or both.",
    searching: "Searching…", stopped: "Stopped.", nothing: "No product fits. Fewer words or filters find more.",
    found: (count, ms) => `${count} products in ${ms} ms`, like: (title) => `More like “${title}”`, more: "More like this", remove: "Remove photo",
    offline: "You are offline. The search goes on when the connection is back.", away: "The service did not answer.", late: "The service took too long.",
    needKey: "This service needs an API key.", badPhoto: "That is not a picture.", tooMany: "At most 8 photos.", not: "not", yourPhoto: "Your photo", itsPhoto: "Its picture",
    adds: "What adds up", words: "Without this word it would lose", attributes: "What was wanted, and what it has", has: "has", untold: "not told",
    shows: "the photo shows", both: "both have", matters: "Warm: hiding this would cost the most.", seen: "Warm: where the words or photo were found.",
    leftOut: "There was no time for everything.", ranked: "A ranker gave the final score; these add up to the first one.", prior: "before looking", late_stage: "words and places",
    leg_attributes: "attributes", dense: "words and picture", image: "picture", text: "text", lexical: "same words", loading: "Looking into it…", noReasons: "Reasons are given for the first ten hits only.",
    category: "Category", colour: "Colour", brand: "Brand", gender: "Gender", material: "Material", season: "Season", usage: "Usage", pattern: "Pattern", language_field: "Language", currency: "Currency",
  },
  zh: {
    skip: "跳到结果", language: "语言", ask: "想找什么？", example: "红色连衣裙 · blue jeans",
    photo: "照片", search: "搜索", hint: "也可以把照片拖到或粘贴到页面任何位置。", photos: "你的照片",
    photoCounts: "看重照片", wordsCount: "看重文字", key: "API 密钥", slow: "比平时慢一些……", stop: "停止",
    again: "重试", understood: "理解为", filters: "筛选", price: "价格", from: "从", to: "到", inStock: "有货",
    clear: "清除筛选", results: "结果", why: "为什么是它？", close: "关闭", drop: "把照片放到这里", start: "输入文字、选择照片，或两者都用。",
    searching: "正在搜索……", stopped: "已停止。", nothing: "没有符合的商品。少一些词或筛选条件试试。",
    found: (count, ms) => `${count} 件商品，${ms} 毫秒`, like: (title) => `与“${title}”相似`, more: "更多相似", remove: "移除照片",
    offline: "你已离线。恢复连接后继续搜索。", away: "服务没有回应。", late: "服务用时太长。",
    needKey: "此服务需要 API 密钥。", badPhoto: "这不是图片。", tooMany: "最多 8 张照片。", not: "不要", yourPhoto: "你的照片", itsPhoto: "商品图片",
    adds: "得分由来", words: "少了这个词会失去", attributes: "想要的和它具备的", has: "具备", untold: "未说明",
    shows: "照片显示", both: "两者都有", matters: "暖色：遮住这里损失最大。", seen: "暖色：文字或照片在这里匹配。",
    leftOut: "时间不够，未能全部说明。", ranked: "最终得分由排序模型给出；这些相加是第一阶段得分。", prior: "先验", late_stage: "逐词逐处",
    leg_attributes: "属性", dense: "图文综合", image: "图片", text: "文字", lexical: "相同的词", loading: "正在查看……", noReasons: "只说明前十个结果。",
    category: "类别", colour: "颜色", brand: "品牌", gender: "性别", material: "材质", season: "季节", usage: "用途", pattern: "图案", language_field: "语言", currency: "货币",
  },
};
let spoken = "en";

export const language = () => spoken;
export const say = (name, ...values) => {
  const found = WORDS[spoken][name];
  return found === undefined ? name : typeof found === "function" ? found(...values) : found;
};
export const fieldName = (field) => say(field === "language" ? "language_field" : field);

export function speak(wanted) {
  spoken = wanted in WORDS ? wanted : "en";
  document.documentElement.lang = spoken;
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of document.querySelectorAll("[data-say-label]")) element.setAttribute("aria-label", say(element.dataset.sayLabel));
  for (const element of document.querySelectorAll("[data-say-placeholder]")) element.placeholder = say(element.dataset.sayPlaceholder);
}

export const usual = () => ((navigator.language || "en").toLowerCase().startsWith("zh") ? "zh" : "en");
