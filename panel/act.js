/*
 * act.js -- doing something: first what would happen, then, once it is wanted, for real.
 */
import { post } from './api.js';
import { el } from './dom.js';
import { confirm, problemText, toast } from './parts.js';

/* What an action says it did or would do, without the members that repeat its name. */
function outcome(answer) {
	const { dry_run: _, ...result } = answer.result;
	const lines = Object.entries(result).filter(([, v]) => v === null || typeof v !== 'object')
		.map(([k, v]) => el('li', {}, `${k.replaceAll('_', ' ')}: ${v}`));

	return [el('p', {}, answer.message), lines.length > 0 && el('ul', {}, lines)];
}

/*
 * Preview what run(more) does with dry_run in more, ask, and run it with nothing more; then() when it was done.
 * True if it was.
 */
export async function preview(run, title, then, isDangerous = false) {
	try {
		const seen = await run({ dry_run: true });

		if (!await confirm(title, el('div', {}, el('p', { className: 'note' }, 'This is what would happen:'), outcome(seen)), 'Do it', isDangerous))
			return false;
		const done = await run({});

		toast(done.message, 'ok');
		then?.();
		return true;
	} catch (e) {
		toast(problemText(e), 'bad');
		return false;
	}
}

export const act = (name, body, title, then, isDangerous) =>
	preview((more) => post(`/dashboard/actions/${name}`, { ...body, ...more }), title, then, isDangerous);
