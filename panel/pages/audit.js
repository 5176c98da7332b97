/* audit.js -- who changed what, and when. */
import { NONE, instant } from '../format.js';
import { list } from '../list.js';

export function show(root, ctx) {
	root.append(list(ctx, {
		title: 'Audit log', path: '/dashboard/audit', dataset: 'audit',
		columns: [
			{ title: 'When', cell: (a) => instant(a.at) }, { title: 'Who', cell: (a) => a.actor }, { title: 'What', cell: (a) => a.action },
			{ title: 'On', cell: (a) => a.target ?? NONE }, { title: 'Status', isNumber: true, cell: (a) => a.status ?? NONE },
			{ title: 'From', cell: (a) => a.address ?? NONE },
		],
	}));
	return null;
}
