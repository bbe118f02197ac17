// @ts-check
/** Elements. Whatever text is given becomes a text node, never markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {Node | string | null | undefined | false} Child
 */

/**
 * Make an element: `h("button", { class: "quiet", onclick: f }, "Go")`.
 * @param {string} name
 * @param {Record<string, any>} [props] attributes; functions listen to the event `on…`; null and false leave out
 * @param {...(Child | Child[])} children
 * @returns {any}
 */
export function h(name, props = {}, ...children) {
  return furnish(document.createElement(name), props, children);
}

/**
 * Make an SVG element.
 * @param {string} name
 * @param {Record<string, any>} [props]
 * @param {...(Child | Child[])} children
 * @returns {any}
 */
export function svg(name, props = {}, ...children) {
  return furnish(document.createElementNS(SVG, name), props, children);
}

/** @param {Element} node @param {Record<string, any>} props @param {(Child | Child[])[]} children */
function furnish(node, props, children) {
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

/** An icon of the sprite in index.html; the text beside it or the label of its button says what it means. */
export function icon(name) {
  return svg("svg", { class: "icon", "aria-hidden": "true" }, svg("use", { href: `#i-${name}` }));
}

/** The element with this id. @param {string} id @returns {any} */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`the page has no #${id}`);
  return node;
}

/** Set a text, only if it is another one, so that screen readers hear changes only. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Make the children of `parent` match `items`, keeping the elements of those that stay: focus is not lost.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => any} create
 * @param {(node: any, item: T) => void} update
 */
export function keyed(parent, items, keyOf, create, update) {
  const old = new Map([...parent.children].map((node) => [node.getAttribute("data-key"), node]));
  items.forEach((item, place) => {
    const key = keyOf(item);
    let node = old.get(key);
    old.delete(key);
    if (!node) {
      node = create(item);
      node.setAttribute("data-key", key);
    }
    update(node, item);
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
  });
  for (const node of old.values()) node.remove();
}
