/*
 * list.js -- a long list: a page at a time, further pages by the cursor that the server gives, and the
 * same rows as a file.
 */
import { get, query } from './api.js';
import { el } from './dom.js';
import { number } from './format.js';
import { files, problemText, section, table, toast } from './parts.js';

const PAGE = 50;

/* { title, path, dataset, filter, columns, tools, empty, row }: filter is what the path takes. */
export function list(ctx, { title, path, dataset, filter = {}, columns, tools = [], empty }) {
	const load = (cursor) => get(path, { ...filter, limit: PAGE, cursor });

	let rows = 0;
	const root = section(title, load, (first) => {
		rows = first.items.length;
		if (rows === 0)
			return null;
		const shown = table(title, columns, first.items);
		const count = el('p', { className: 'note' });
		const more = el('button', { type: 'button' }, 'More');
		let cursor = first.next_cursor;

		function tell() {
			count.textContent = `${number(rows)} of ${first.total_capped ? 'more than ' : ''}${number(first.total)}`;
			more.hidden = cursor === null;
		}
		more.onclick = async () => {
			more.disabled = true;
			try {
				const next = await load(cursor);

				shown.querySelector('tbody').append(...table(title, columns, next.items).querySelector('tbody').children);
				rows += next.items.length;
				cursor = next.next_cursor;
				tell();
			} catch (e) {
				toast(problemText(e), 'bad');
			}
			more.disabled = false;
		};
		tell();
		return [shown, count, more];
	}, { empty, tools: [...tools, ...(dataset && ctx.may('dashboard:export') ? files(dataset, query(filter)) : [])] });
	const isAtWork = root.isInUse;

	root.isInUse = () => rows > PAGE || isAtWork();		/* further pages would go */
	return root;
}
