/*
 * dom.js -- making elements.  What comes from outside reaches a page as text only.
 */

export const byId = (id) => document.getElementById(id);

/* An element with properties ("class" and names with "-" become attributes) and children. */
export function el(name, props = {}, ...children) {
	const e = document.createElement(name);

	for (const [k, v] of Object.entries(props)) {
		if (v === undefined || v === null)
			continue;
		if (k in e && !k.includes('-'))
			e[k] = v;
		else if (v !== false)
			e.setAttribute(k, v);
	}
	e.append(...children.flat(2).filter((c) => c || c === 0));
	return e;
}
