/*
 * format.js -- figures as people read them.  What is not known is a dash.
 */
import { el } from './dom.js';

export const NONE = '–';
const count = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const cents = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const both = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const hour = new Intl.DateTimeFormat(undefined, { weekday: 'short', hour: '2-digit', minute: '2-digit' });
const utc = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

export const number = (v) => (v === null || v === undefined ? NONE : count.format(v));
export const money = (v) => (v === null || v === undefined ? NONE : cents.format(v));
export const compact = (v) => (v === null || v === undefined ? NONE : Math.abs(v) < 100000 ? count.format(v) : short.format(v));
export const percent = (v, places = 1) => (v === null || v === undefined ? NONE : `${(100 * v).toFixed(places)} %`);
/* Of the values of a series' points. */
export const sumOf = (points) => points.reduce((n, [, v]) => n + (v ?? 0), 0);
export const score = (v) => (v === null || v === undefined ? NONE : v.toFixed(2));
export const dayOf = (ms) => day.format(new Date(ms));
/* A day of UTC, YYYY-MM-DD, which is that day wherever one is. */
export const utcDay = (day) => (day ? utc.format(new Date(day)) : NONE);
export const hourOf = (ms) => hour.format(new Date(ms));
export const timeOf = (ms) => clock.format(new Date(ms));

/* A duration with its two largest units: 2 d 3 h, 4 min 5 s, 850 ms. */
export function duration(ms) {
	if (ms === null || ms === undefined)
		return NONE;
	if (ms < 1000)
		return `${Math.round(ms)} ms`;
	const s = Math.round(ms / 1000);
	const parts = [[Math.floor(s / 86400), 'd'], [Math.floor(s / 3600) % 24, 'h'], [Math.floor(s / 60) % 60, 'min'], [s % 60, 's']];
	const first = parts.findIndex(([n]) => n > 0);

	return ms < 10000 ? `${(ms / 1000).toFixed(1)} s` :
		parts.slice(first, first + 2).filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`).join(' ');
}

/* An instant in the viewer's zone, with UTC on hover. */
export function instant(iso) {
	if (!iso)
		return NONE;
	const at = new Date(iso);

	return el('time', { dateTime: at.toISOString(), title: `${at.toISOString()} (UTC)` }, both.format(at));
}
