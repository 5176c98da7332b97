/* product-people.js -- what users do, where they come from and what with: the most frequent of each. */
import { el } from '../dom.js';
import { number, percent } from '../format.js';
import { share } from '../parts.js';
import { begin, firstRows, part } from './product.js';

const ROWS = 10, ROWS_MAX = 40, FILE_ROWS_MAX = 100000;
const UNKNOWN = 'Not known';
const plain = (v) => (v === null ? UNKNOWN : v === '' ? '(empty)' : v.trim() === '' ? '(blank)' : v);

/* ENTERED_NEW_ROOM: Entered new room. */
const words = (v) => v.charAt(0) + v.slice(1).toLowerCase().replaceAll('_', ' ');

/* Of an ISO code, where there is such a country. */
const countries = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
function country(code) {
	let name;

	try {
		name = countries.of(code);
	} catch { /* it does not even look like a code */ }
	return name ? `${code} – ${name}` : plain(code);
}
const place = (i) => (i.value === null && i.second === null ? UNKNOWN : `${country(i.value)}: ${i.second === null ? 'not known' : plain(i.second)}`);

const LISTS = [
	['route', 'Pages', 'Page views', (i) => words(i.value)], ['source', 'Sources', 'Page views', (i) => plain(i.value)],
	['event', 'Events', 'Events', (i) => words(i.value)], ['room', 'Rooms', 'Votes', null],
	['country', 'Countries', 'Users', (i) => country(i.value)], ['country_region', 'Regions', 'Users', place], ['country_city', 'Cities', 'Users', place],
	['device', 'Devices', 'Users', (i) => plain(i.value)], ['os', 'Operating systems', 'Users', (i) => plain(i.value)],
	['browser', 'Browsers', 'Users', (i) => plain(i.value)],
];

export function show(root, ctx) {
	const roomOf = (i) => (i.value ? el('a', { href: ctx.to('product-votes', { name: i.value }) }, i.value) : plain(i.value));

	return begin(root, ctx, el('div', { className: 'halves' }, LISTS.map(([by, title, what, nameOf]) => {
		const rows = firstRows(title, [
			{ title: title.replace(/ies$/, 'y').replace(/s$/, ''), cell: nameOf ?? roomOf },
			{ title: what, isNumber: true, cell: (i) => number(i.count) },
			{ title: 'Share', isNumber: true, cell: (i) => share(i.share) },
		], ROWS);

		return part(title, 'breakdown', { by, limit: ROWS_MAX }, (a) => {
			const listed = a.items.reduce((n, i) => n + i.count, 0);

			return [rows(a.items), el('p', { className: 'note' }, `${number(a.total)} ${what.toLowerCase()}`,
				a.values > a.items.length && `; the ${number(a.items.length)} of ${number(a.values)} that are most frequent are ${percent(listed / a.total)}`, '.')];
		}, { all: { limit: FILE_ROWS_MAX } });
	})));
}
