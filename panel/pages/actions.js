/* actions.js -- what the analysis suggests, and everything that can be done about the queue. */
import { get, post } from '../api.js';
import { act, preview } from '../act.js';
import { el } from '../dom.js';
import { attempt, badge, button, section } from '../parts.js';

const ACTIONS = [
	['run-orchestrator', 'Run the orchestrator', 'One cycle: look, decide, act.'],
	['run-scheduler', 'Run the scheduler', 'Scheduled posts that are due become pending.'],
	['rebalance-queue', 'Rebalance the queue', 'Pending posts are spread over the time to come.'],
	['optimize-schedule', 'Optimise the schedule', 'Up to ten pending posts of each platform get good hours.'],
	['retry-failed', 'Retry failed posts', 'At most 50 of them, the oldest first.'],
	['generate-report', 'Make a report', 'The analysis is kept for the history.'],
	['clear-failed', 'Clear old failed posts', 'Failed posts of more than 7 days go to the archive.', true],
];

export function show(root, ctx) {
	const suggestions = section('Recommendations', () => get('/dashboard/ai/recommendations'), (list) => (list.length === 0 ? null :
		el('ul', { className: 'plain' }, list.map((r) => el('li', { className: 'card' },
			el('h3', {}, badge(r.severity), ` ${r.title}`), el('p', {}, r.description),
			el('span', { className: 'buttons' },
				button('Do it …', () => execute(r), 'main'), button('Not now', () => dismiss(r))))))), { empty: 'Nothing to recommend.' });

	const execute = (r) => preview((more) => post('/dashboard/ai/execute', { action: r.action, payload: { ...r.payload, ...more }, recommendation_id: r.id }),
		r.title, suggestions.reload);
	const dismiss = (r) => attempt(() => post(`/dashboard/ai/recommendations/${r.id}/dismiss`), suggestions.reload);

	root.append(suggestions, el('section', { className: 'part' }, el('h2', {}, 'Actions'),
		el('ul', { className: 'plain cards wide' }, ACTIONS.filter(([, , , isDangerous]) => !isDangerous || ctx.may('actions:destructive')).map(([name, title, text, isDangerous]) =>
			el('li', { className: 'card' }, el('h3', {}, title), el('p', { className: 'note' }, text),
				button('Preview …', () => act(name, {}, title, suggestions.reload, isDangerous), isDangerous ? 'danger' : ''))))));
	return null;
}
