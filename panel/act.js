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

/* Preview the action, ask, do it; then() when it was done.  True if it was. */
export async function act(name, body, title, then, isDangerous = false) {
	try {
		const preview = await post(`/dashboard/actions/${name}`, { ...body, dry_run: true });

		if (!await confirm(title, el('div', {}, el('p', { className: 'note' }, 'This is what would happen:'), outcome(preview)), 'Do it', isDangerous))
			return false;
		const done = await post(`/dashboard/actions/${name}`, body);

		toast(done.message, 'ok');
		then?.();
		return true;
	} catch (e) {
		toast(problemText(e), 'bad');
		return false;
	}
}
