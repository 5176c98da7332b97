/* campaigns.js -- how many there are in each state, and what each has put out. */
import { instant, money, number, percent } from '../format.js';
import { follow } from '../live.js';
import { list } from '../list.js';
import { badge, card, cards } from '../parts.js';

const PATH = '/dashboard/stats/campaigns';

export function show(root, ctx) {
	const c = {
		total: card({ title: 'Campaigns', of: [PATH, 'total'] }),
		draft: card({ title: 'Draft', of: [PATH, 'draft'] }),
		active: card({ title: 'Active', of: [PATH, 'active'] }),
		paused: card({ title: 'Paused', of: [PATH, 'paused'] }),
		completed: card({ title: 'Completed', of: [PATH, 'completed'] }),
		budget: card({ title: 'Budget spent', of: [PATH, 'budget_utilisation'] }),
	};

	const rows = list(ctx, {
		title: 'Campaigns', path: '/dashboard/campaigns', dataset: 'campaigns',
		columns: [
			{ title: 'Name', cell: (x) => x.name },
			{ title: 'Status', cell: (x) => badge(x.status) },
			{ title: 'Platforms', cell: (x) => x.platforms?.replaceAll(',', ', ') },
			{ title: 'Clips out', cell: (x) => Object.entries(x.publications_per_platform).map(([p, n]) => `${p} ${n}`).join(', ') || 'none' },
			{ title: 'Budget', isNumber: true, cell: (x) => money(x.budget) },
			{ title: 'Spent', isNumber: true, cell: (x) => money(x.budget_spent) },
			{ title: 'Changed', cell: (x) => instant(x.updated_at) },
		],
	});

	root.append(cards(...Object.values(c)), rows);
	return follow(['campaigns'], (topic, s) => {
		for (const name of ['total', 'draft', 'active', 'paused', 'completed'])
			c[name].set(number(s[name]));
		c.budget.set(percent(s.budget_utilisation));
		c.budget.note(`${money(s.total_budget_spent)} of ${money(s.total_budget)}`);
	}, ctx.showState, [rows]);
}
