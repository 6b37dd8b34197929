// What is wrong with the mail as it is laid out now: sentences; none where all is well.
const SMALLEST_TEXT = 14;
const LOWEST_TARGET = 40;
const LEAST_CONTRAST = 4.5;

const found = [];
const wide = document.documentElement.clientWidth;
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const named = (text) => JSON.stringify(text.trim().replace(/\s+/gu, " ").slice(0, 40));

/** Red, green, blue (0 to 255) and opacity (0 to 1) of a computed colour. */
const colour = (text) => {
  const [red, green, blue, alpha = 1] = text.match(/[\d.]+/gu).map(Number);
  return [red, green, blue, alpha];
};
const over = ([red, green, blue, alpha], below) => [red, green, blue].map((part, index) => part * alpha + below[index] * (1 - alpha));

/** What the page is painted on where nothing else is. */
const canvas = (() => {
  const probe = document.body.appendChild(document.createElement("div"));
  probe.style.backgroundColor = "Canvas";
  const told = colour(getComputedStyle(probe).backgroundColor).slice(0, 3);
  probe.remove();
  return told;
})();

/** The colour behind an element: its own, over those of all that it is in. */
const behind = (element) =>
  element === null ? canvas : over(colour(getComputedStyle(element).backgroundColor), behind(element.parentElement));

/** Relative luminance (WCAG 2.2). */
const luminance = (parts) => {
  const [red, green, blue] = parts.map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};

/** Every piece of text that is seen, with where it is. */
const texts = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode;
  const range = document.createRange();
  range.selectNodeContents(node);
  const places = [...range.getClientRects()].filter((place) => place.width > 0 && place.height > 0);
  if (/[\p{L}\p{N}\p{P}\p{S}]/u.test(node.data) && places.length > 0) texts.push({ node, places, style: getComputedStyle(node.parentElement) });
}
if (texts.length === 0) found.push("nothing is seen");

// Nothing leaves the screen sideways; what a frame cuts off has left it too.
if (document.scrollingElement.scrollWidth > wide) found.push(`the page is ${document.scrollingElement.scrollWidth} px wide on ${wide}`);
const outside = (place) => place.width > 0 && (place.left < -0.5 || place.right > wide + 0.5);
const leaving = [...document.body.querySelectorAll("*")].find((element) => outside(element.getBoundingClientRect()));
if (leaving !== undefined) found.push(`<${leaving.tagName.toLowerCase()}> leaves the screen sideways`);
for (const { node, places } of texts) if (places.some(outside)) found.push(`text leaves the screen sideways: ${named(node.data)}`);

for (const { node, style } of texts) {
  if (Number.parseFloat(style.fontSize) < SMALLEST_TEXT) found.push(`text of ${style.fontSize}: ${named(node.data)}`);
  const ground = behind(node.parentElement);
  const ratio = contrast(over(colour(style.color), ground), ground);
  if (ratio < LEAST_CONTRAST) found.push(`contrast of ${ratio.toFixed(2)}: ${named(node.data)}`);
}

// A link within a sentence is as high as its line; all others are touched by themselves.
const besides = texts.filter(({ node }) => node.parentElement.closest("a") === null && /[\p{L}\p{N}]/u.test(node.data));
const sameLine = (one, other) => Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > Math.min(one.height, other.height) / 2;
for (const link of document.querySelectorAll("a[href]")) {
  const places = [...link.getClientRects()].filter((place) => place.width > 0);
  const inSentence = besides.some((text) => text.places.some((other) => places.some((place) => sameLine(place, other))));
  const { height } = link.getBoundingClientRect();
  if (places.length > 0 && !inSentence && height < LOWEST_TARGET) found.push(`a link of ${height.toFixed(1)} px: ${named(link.textContent)}`);
}

for (const image of document.querySelectorAll("img:not([alt])")) found.push(`no words for an image: ${named(image.src)}`);

const preheader = document.body.firstElementChild;
if (preheader.textContent.trim() === "" || preheader.getClientRects().length > 0) found.push("the preheader is seen, or is not there");

// The whole window, also below a short mail.
if (dark !== luminance(behind(document.body)) < 0.2) found.push(`the page is ${dark ? "light in the dark" : "dark in the light"}`);

return found;
