/*
 * panel.mjs -- the panel in a real browser.  Prints one JSON line per test: {name, ok, detail}.
 *
 *	node panel.mjs BASE WORK_DIR < {"root": password, "viewer": password, "host": password, "token": token,
 *		"pilothouse": program, "home": directory, "hand": address of t/e2e/panel.py's Hand, "blank": address of an instance
 *		with root where nothing is, "shows": [{counts, recent}]}
 *
 * The instance holds demonstration data, and a video and an episode called <img src=x onerror=alert(1)>; root's podcasts
 * p1 and p2 are the shows, which a fake OP3 counts; a product was synchronised, whose figures Hand tells.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.PH_NODE_MODULES, 'x.js'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
let [base, work] = process.argv.slice(2);
const secret = JSON.parse(readFileSync(0, 'utf8'));
const FLAGS = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
	'--disable-component-update', '--disable-sync'];
const WIDTHS = { laptop: { width: 1280, height: 900 }, phone: { width: 360, height: 780 } };
const PAGES = ['overview', 'queue', 'orchestrator', 'platforms', 'campaigns', 'publications', 'analytics', 'boards', 'alerts', 'analysis', 'actions', 'audit', 'access'];
const WAIT_MS = 15000;
const FIRST_LOAD_MAX = 150000;	/* bytes as they are sent, the chart library included */

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
const context = await browser.newContext({ viewport: WIDTHS.laptop });
const page = await context.newPage();
const faults = [];

page.setDefaultTimeout(WAIT_MS);
page.on('console', (m) => m.type() === 'error' && !/status of (401|403|404|409|422|429|502|503)/.test(m.text()) && !/ERR_(CONNECTION|INCOMPLETE|NETWORK)/.test(m.text()) && faults.push(m.text()));
page.on('pageerror', (e) => faults.push(String(e)));
page.on('request', (r) => !r.url().startsWith(base) && !r.url().startsWith('data:') && faults.push(`a request to ${r.url()}`));

async function test(name, f) {
	let detail = '';

	faults.length = 0;
	try {
		await f();
		if (faults.length > 0)
			throw new Error(faults.join('\n'));
	} catch (e) {
		detail = String(e.stack ?? e).slice(0, 2000);
		await page.screenshot({ path: path.join(work, 'failed.png') }).catch(() => {});
	}
	console.log(JSON.stringify({ name, ok: detail === '', detail }));
}

function equal(seen, expected, what) {
	if (JSON.stringify(seen) !== JSON.stringify(expected))
		throw new Error(`${what}: expected ${JSON.stringify(expected)}, seen ${JSON.stringify(seen)}`);
}

const api = async (url) => (await fetch(base + url, { headers: { Authorization: `Bearer ${secret.token}` } })).json();
const card = (title) => page.locator(`.card[aria-label="${title}"] .value`);
const shownNumber = async (title) => Number((await card(title).textContent()).replace(/[^\d.-]/g, ''));
/* page.waitForFunction() would need eval, which the page forbids. */
const until = async (what, f, arg) => {
	for (const end = Date.now() + WAIT_MS; Date.now() < end; await page.waitForTimeout(100))
		if (await page.evaluate(f, arg))
			return;
	throw new Error(`${what}: not within ${WAIT_MS} ms`);
};
const visit = async (hash) => {
	await page.goto(`${base}/panel/#/${hash}`);
	await page.locator('h1').first().waitFor();
};

async function signIn(name, password) {
	await page.goto(`${base}/`);
	await page.fill('#username', name);
	await page.fill('#password', password);
	await page.click('.sign-in button.main');
}

await test('/ leads to the panel, and a wrong password is told', async () => {
	await signIn('root', 'not the password');
	await page.getByText('name or password is wrong').waitFor();
	equal(new URL(page.url()).pathname, '/panel/', 'address');
});

await test('the right password signs in; the cookie is out of reach of scripts', async () => {
	await signIn('root', secret.root);
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	equal(await page.evaluate(() => document.cookie), '', 'document.cookie');
	const [cookie] = await context.cookies();

	equal([cookie.name, cookie.httpOnly, cookie.sameSite, cookie.secure], ['ph_session', true, 'Strict', true], 'cookie');
});

await test('the overview shows what the API says, live', async () => {
	const overview = await api('/dashboard/stats/overview?include=extended'), queue = await api('/dashboard/stats/queue');

	await page.locator('.dot.live').waitFor();
	await until('figures', () => document.querySelectorAll('.card .skeleton').length === 0);
	equal(await shownNumber('Videos'), overview.total_videos, 'videos');
	equal(await shownNumber('Clips'), overview.total_clips, 'clips');
	equal(await shownNumber('Publications'), overview.total_publications, 'publications');
	equal(await card('Success rate').textContent(), `${(100 * overview.success_rate).toFixed(1)} %`, 'success');
	equal(await shownNumber('Waiting'), queue.pending, 'waiting');
	await page.locator('figure canvas').first().waitFor();
});

await test('a figure says what it means, in the words of the API', async () => {
	const label = page.locator('.card[aria-label="Oldest waiting post"] summary');
	const { paths } = await api('/openapi.json');
	const { description } = paths['/dashboard/stats/queue'].get.responses['200'].content['application/json'].schema.properties.oldest_pending_age_seconds;

	await label.hover();
	await until('the meaning', ([title]) => document.querySelector('.card[aria-label="Oldest waiting post"] summary').title === title, [description]);
	await label.click();
	await page.locator('.card[aria-label="Oldest waiting post"] details p', { hasText: description }).waitFor();
	await label.click();
});

await test('a change arrives without a reload', async () => {
	const before = await shownNumber('Videos');

	const made = await fetch(`${base}/dashboard/ingest/videos`, { method: 'POST', headers: { Authorization: `Bearer ${secret.token}`, 'Content-Type': 'application/json' },
		body: JSON.stringify({ id: `video-${Date.now()}`, title: 'new' }) });

	equal(made.status, 200, await made.text());
	await until('one video more', (n) => Number(document.querySelector('.card[aria-label="Videos"] .value').textContent.replace(/\D/g, '')) === n, before + 1);
});

await test('the first load is small', async () => {
	const loaded = await page.evaluate(() => performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))
		.filter((r) => r.name.includes('/panel/')).map((r) => [new URL(r.name).pathname, r.encodedBodySize]));
	const sum = loaded.reduce((n, [, size]) => n + size, 0);

	if (!loaded.some(([name]) => name === '/panel/chart.js') || sum === 0 || sum > FIRST_LOAD_MAX)
		throw new Error(`${sum} bytes: ${JSON.stringify(loaded)}`);
});

const loaded = () => until('everything has loaded', () => document.querySelectorAll('[aria-busy=true]').length === 0);

async function isSound(name) {
	await visit(name);
	await page.waitForLoadState('networkidle').catch(() => {});
	await loaded();
	equal(await page.locator('h1').count(), 1, 'h1');
	equal(await page.locator('.state:not(:empty)').allTextContents(), [], 'errors');
	equal(await page.evaluate(() => {
		const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), odd = [];

		while (texts.nextNode())
			if (/^(true|false|null|undefined)$|NaN|\[object/.test(texts.currentNode.data.trim()))
				odd.push(texts.currentNode.data);
		return odd;
	}), [], 'values that nobody formatted');
	await page.evaluate(axe);
	for (const [size, viewport] of Object.entries(WIDTHS))
		for (const colorScheme of ['light', 'dark']) {
			await page.setViewportSize(viewport);
			await page.emulateMedia({ colorScheme });
			/* The page is shown anew in the other colours. */
			await page.evaluate(() => new Promise(requestAnimationFrame));
			await loaded();
			await page.screenshot({ path: path.join(work, `${name.replace(/\W+/g, '-')}-${size}-${colorScheme}.png`), fullPage: true });
			equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `no sideways scrolling, ${size}`);
			const { violations } = await page.evaluate(() => globalThis.axe.run());

			equal(violations.map((v) => [v.id, v.nodes.map((n) => n.target.join(' '))]), [], `accessibility, ${size}, ${colorScheme}`);
		}
	await page.setViewportSize(WIDTHS.laptop);
	await page.emulateMedia({ colorScheme: 'light' });
}

for (const name of PAGES)
	await test(`${name}: loads, says something, has one h1 and no errors, and fits a phone`, () => isSound(name));

const inTable = (name) => page.getByRole('region', { name, exact: true }).locator('tbody tr');
const column = (rows, title) => rows.locator(`td[data-title="${title}"]`).allTextContents();
const asNumber = (text) => Number(text.replace(/[^\d.-]/g, ''));
const sum = (points) => points.reduce((n, [, v]) => n + (v ?? 0), 0);
const settled = () => until('everything has loaded', () => document.querySelectorAll('[aria-busy=true], .card .skeleton').length === 0);

await test('each page shows what the API says', async () => {
	const queue = await api('/dashboard/stats/queue?include=extended');

	await visit('queue');
	await settled();
	equal(await shownNumber('In the queue'), queue.total_in_queue, 'in the queue');
	equal(await shownNumber('In processing'), queue.processing, 'in processing');
	const waiting = await api('/dashboard/publications?status=pending,scheduled&sort=requested_at&limit=50');

	equal(await inTable('Posts').count(), waiting.items.length, 'waiting posts');
	equal(await column(inTable('Posts'), 'Clip'), waiting.items.map((p) => p.video_title ?? p.clip_id), 'their videos');

	const o = await api('/dashboard/stats/orchestrator?include=extended');

	await visit('orchestrator');
	await settled();
	equal([await shownNumber('Jobs'), await shownNumber('Pending jobs')], [o.total_jobs, o.pending_jobs], 'jobs');
	equal(await column(inTable('The last 20 events'), 'Event'), (await api('/dashboard/ledger?limit=20')).items.map((e) => e.event_type), 'ledger');

	await visit('platforms');
	await settled();
	const { series } = await api('/dashboard/stats/history?metric=events.failed&platform=tiktok&days_back=14&step=1d');
	const tiktok = inTable('Published and failed').filter({ hasText: 'tiktok' });

	equal(asNumber((await column(tiktok, 'Failed'))[0]), sum(series[0].points.slice(-7)), 'failed on tiktok');
	const p = await api('/dashboard/stats/platforms?include=extended');

	equal(await page.locator('.card[aria-label=youtube] dd').nth(1).textContent(), p.youtube.posts_published.toLocaleString('en-US'), 'youtube');

	const campaigns = await api('/dashboard/stats/campaigns?include=extended');

	await visit('campaigns');
	await settled();
	equal([await shownNumber('Campaigns'), await shownNumber('Active')], [campaigns.total, campaigns.active], 'campaigns');
	equal(await inTable('Campaigns').count(), (await api('/dashboard/campaigns?limit=50')).items.length, 'campaigns in the table');

	await visit('analytics?days=7');
	await settled();
	const week = await api(`/dashboard/stats/history?metric=events.published&days_back=14&step=1d&tz_offset=${await page.evaluate(() => -new Date().getTimezoneOffset())}`);

	equal(asNumber(await page.locator('section.part strong').first().textContent()), sum(week.series[0].points.slice(-7)), 'published in a week');
	const best = (await api('/dashboard/clips?sort=-visual_score&limit=10')).items;

	equal(await column(inTable('The best clips'), 'Score'), best.map((c) => c.visual_score.toFixed(2)), 'best scores');

	await visit('alerts');
	await settled();
	const stats = await api('/dashboard/alerts/stats');

	equal([await shownNumber('Critical'), await shownNumber('Unread')], [stats.firing.critical, stats.unread_count], 'alerts');
	equal(await inTable('Rules').count(), (await api('/dashboard/alerts/rules')).items.length, 'rules');

	await visit('analysis');
	await settled();
	const analysis = await api('/dashboard/ai/analyze');

	equal(await shownNumber('Clips ready'), analysis.metrics.total_clips_ready, 'clips ready');
	equal(await column(inTable('The best clip of each platform'), 'Score'),
		Object.values(analysis.best_clip_per_platform).filter(Boolean).map((b) => b.score.toFixed(2)), 'best clips');

	await visit('audit');
	await settled();
	const audit = await api('/dashboard/audit?limit=50');

	equal((await column(inTable('Audit log'), 'What')).slice(-5), audit.items.map((a) => a.action).slice(-5), 'audit');

	await visit('access');
	await settled();
	equal(await column(inTable('Users'), 'Name'), (await api('/dashboard/users')).items.map((u) => u.name), 'users');

	await visit('actions');
	await settled();
	equal(await page.locator('ul.plain > li h3').evaluateAll((l) => l.length), (await api('/dashboard/ai/recommendations')).length + 7, 'recommendations and actions');
});

/* Do something that changes the address; the page is then shown anew. */
async function follow(change, address) {
	await page.evaluate(() => { document.querySelector('h1').id = 'before'; });
	await change();
	await page.waitForURL(address);
	await until('the page is shown anew', () => document.getElementById('before') === null);
	await settled();
}
const choose = (name, value) => follow(() => page.selectOption(`#choice-${name}`, value), new RegExp(`${name}=${value}`));

await test('choices are in the address and survive a reload', async () => {
	await visit('publications');
	await settled();
	await choose('status', 'failed');
	await choose('platform', 'tiktok');
	await page.reload();
	await page.locator('tbody tr').first().waitFor();
	const { total } = await api('/dashboard/publications?status=failed&platform=tiktok&limit=1');

	equal(new Set(await page.locator('tbody td[data-title=Platform]').allTextContents()).size, 1, 'one platform');
	equal((await page.locator('.part .note').first().textContent()).endsWith(`of ${total.toLocaleString('en-US')}`), true, 'how many');
});

await test('a name that holds markup is text', async () => {
	await page.goto(`${base}/panel/#/publications?q=onerror`);
	await page.locator('tbody').getByText('<img src=x onerror=alert(1)>').first().waitFor();
	equal(await page.locator('tbody img').count(), 0, 'no image');
});

await test('failed posts are retried: first what would happen, then for real', async () => {
	const failed = async () => (await api('/dashboard/publications?status=failed&platform=tiktok&limit=1')).total;
	const before = await failed();

	await page.goto(`${base}/panel/#/publications?status=failed&platform=tiktok`);
	await page.getByRole('button', { name: 'Retry these' }).click();
	await page.getByText('This is what would happen').waitFor();
	equal(await failed(), before, 'nothing has happened yet');
	await page.getByRole('button', { name: 'Do it' }).click();
	await page.locator('.toast.ok', { hasText: 'are pending' }).waitFor();
	equal(await failed(), before - Math.min(before, 50), 'retried');
});

await test('a board is drawn, shared, and shows what the API says', async () => {
	await visit('boards?id=new');
	await page.fill('#board-name', 'Mine');
	await page.getByRole('button', { name: 'Add a widget' }).click();
	const second = page.locator('fieldset').nth(1);

	await second.locator('[name=type]').selectOption('line');
	await second.locator('[name=title]').fill('Failures');
	await second.locator('[name=from]').selectOption('-7d');
	await second.locator('[name=expr]').fill('events.failed');
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByRole('heading', { name: 'Mine' }).waitFor();
	const { pending } = await api('/dashboard/stats/queue');

	equal(Number((await page.locator('.tile .value').first().textContent()).replace(/\D/g, '')), pending, 'waiting');
	await page.locator('.tile canvas').waitFor();
	await page.getByRole('button', { name: 'Share' }).click();
	await page.getByText('shared', { exact: true }).waitFor();
	await page.screenshot({ path: path.join(work, 'board.png'), fullPage: true });
});

await test('a campaign is made, refused without its clip, and paused', async () => {
	const { items: [clip] } = await api('/dashboard/clips?limit=1');
	const make = async (clipId) => {
		await page.getByRole('button', { name: 'New campaign' }).click();
		for (const [i, text] of ['Spring', clipId, '12.50'].entries())
			await page.locator('dialog input').nth(i).fill(text);
		await page.locator('dialog button.main').click();
	};

	await visit('campaigns');
	await settled();
	await make('nothing');
	await page.locator('.toast.bad', { hasText: 'clip_id: there is no such clip' }).waitFor();
	await make(clip.id);
	const row = page.locator('tr', { hasText: 'Spring' });

	await row.getByRole('button', { name: 'Publish' }).click();
	await row.getByText('active').waitFor();
	await row.getByRole('button', { name: 'Pause' }).click();
	await row.getByText('paused').waitFor();
	const { items: [made] } = await api('/dashboard/campaigns?limit=1');

	equal([made.name, made.status, made.budget], ['Spring', 'paused', 12.5], 'the campaign');
});

await test('a waiting post is given another time', async () => {
	await visit('queue');
	await settled();
	const post = (await api('/dashboard/publications?status=pending,scheduled&sort=requested_at&limit=50')).items[0];

	await inTable('Posts').first().getByRole('button', { name: 'Reschedule' }).click();
	const at = `${new Date(Date.now() + 10 * 86400000).toISOString().slice(0, 10)}T03:04`;

	await page.locator('dialog input').fill(at);
	await page.locator('dialog button.main').click();
	await page.getByText('This is what would happen').waitFor();
	await page.getByRole('button', { name: 'Do it' }).click();
	await page.locator('.toast.ok', { hasText: 'is scheduled for' }).waitFor();
	const moved = await api(`/dashboard/publications/${post.id}`);

	equal([moved.status, moved.scheduled_for], ['scheduled', await page.evaluate((t) => new Date(t).toISOString(), at).then((t) => t.replace('.000Z', 'Z'))], 'the post');
});

await test('a new alert is told wherever one is, and counted at the menu', async () => {
	const call = (path, method, body) => fetch(base + path, { method, headers: { Authorization: `Bearer ${secret.token}`, 'Content-Type': 'application/json' },
		body: JSON.stringify(body) });

	/* What fires anyway has been there before. */
	equal((await call('/dashboard/alerts/evaluate', 'POST', {})).status, 200, 'evaluated');
	await visit('audit');
	await page.reload();
	await settled();
	const { unread_count: before } = await api('/dashboard/alerts/stats');

	await until('the count', (n) => document.querySelector('nav .count')?.textContent === n, String(before));
	const made = await call('/dashboard/alerts/rules', 'POST', { name: 'Always', metric: '1', op: '>', threshold: 0, severity: 'critical' });

	equal(made.status, 201, await made.text());
	equal((await call('/dashboard/alerts/evaluate', 'POST', {})).status, 200, 'evaluated');
	await page.locator('.toast.bad', { hasText: 'Always' }).waitFor({ timeout: 45000 });
	const { unread_count: after } = await api('/dashboard/alerts/stats');

	equal([after, await page.locator('nav .count').textContent()], [before + 1, String(before + 1)], 'unread');
});

await test('a rule is changed, and a wrong figure is told', async () => {
	await visit('alerts');
	const row = page.locator('tr', { hasText: 'Queue is filling' });

	await row.getByRole('button', { name: 'Change' }).click();
	await page.locator('dialog input').first().fill('77');
	await page.locator('dialog button.main').click();
	await row.getByText('queue.pending > 77').waitFor();
	await page.getByRole('button', { name: 'New rule' }).click();
	await page.locator('dialog input').nth(0).fill('Wrong');
	await page.locator('dialog input').nth(1).fill('queue.nonsense');
	await page.locator('dialog input').nth(2).fill('1');
	await page.locator('dialog button.main').click();
	await page.locator('.toast.bad', { hasText: 'no metric or function of this name' }).waitFor();
});

await test('a user is made, cannot be left without an admin, and gets a token', async () => {
	await visit('access');
	await page.getByRole('button', { name: 'New user' }).click();
	await page.locator('dialog input').first().fill('newcomer');
	await page.locator('dialog button.main').click();
	await page.locator('tr', { hasText: 'newcomer' }).first().waitFor();
	await page.getByLabel('Role of root').selectOption('viewer');
	await page.locator('.toast.bad', { hasText: 'last active admin' }).waitFor();
	await page.getByRole('button', { name: 'New token' }).click();
	await page.locator('dialog input').nth(0).fill('newcomer');
	await page.locator('dialog input').nth(1).fill('a script');
	await page.locator('dialog button.main').click();
	const token = await page.getByLabel('Token', { exact: true }).inputValue();

	equal((await fetch(`${base}/dashboard/me`, { headers: { Authorization: `Bearer ${token}` } })).status, 200, 'the token works');
	await page.locator('dialog button.main').click();
});

await test('without a stream it asks politely: one request at a time, none in a hidden tab', async () => {
	let now = 0, most = 0, all = 0;
	const isAsked = (r) => r.url().includes('/dashboard/stats/queue');
	const hide = (isHidden) => page.evaluate((hidden) => {
		Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
		document.dispatchEvent(new Event('visibilitychange'));
	}, isHidden);
	const began = (r) => isAsked(r) && (most = Math.max(most, ++now), all++);
	const ended = (r) => isAsked(r) && now--;

	await page.route('**/dashboard/stream**', (route) => route.fulfill({ status: 503, body: '' }));
	await visit('overview');
	await page.locator('.dot.polling').waitFor();
	await settled();
	equal([await card('Overdue').textContent(), await shownNumber('Waiting')], ['–', (await api('/dashboard/stats/queue')).pending], 'without telemetry');
	page.on('request', began);
	page.on('requestfinished', ended);
	await visit('queue');
	await page.locator('.dot.polling').waitFor();
	await page.waitForTimeout(11000);
	equal([most, all >= 3], [1, true], 'at most one at a time, and again every five seconds');
	await hide(true);
	all = 0;
	await page.waitForTimeout(7000);
	equal(all, 0, 'asked while hidden');
	await page.unroute('**/dashboard/stream**');
	await hide(false);
	await page.locator('.dot.live').waitFor();
	page.off('request', began);
	page.off('requestfinished', ended);
});

await test('a recommendation shows what it would do, and why it cannot', async () => {
	await visit('actions');
	await settled();
	await page.locator('li.card', { hasText: 'Retry failed' }).first().getByRole('button', { name: 'Do it' }).click();
	await page.getByText('This is what would happen').waitFor();
	await page.getByRole('button', { name: 'Cancel' }).click();
	const active = page.locator('li.card', { hasText: 'Its clip can be changed once it is a draft again' }).first();

	await active.getByRole('button', { name: 'Do it' }).click();
	await page.locator('.toast.bad', { hasText: "only a draft's clip can be changed" }).waitFor();
});

await test('the server goes away and comes back', async () => {
	await visit('queue');
	await page.locator('.dot.live').waitFor();
	execFileSync(secret.pilothouse, ['--home', secret.home, 'stop']);
	await page.locator('.dot.offline').waitFor({ timeout: 30000 });
	execFileSync(secret.pilothouse, ['--home', secret.home, 'start']);
	await page.locator('.dot.live').waitFor({ timeout: 40000 });
});

await test('an expired session leads to the sign-in', async () => {
	await context.clearCookies();
	await page.goto(`${base}/panel/#/audit`);
	await page.reload();
	await page.locator('.sign-in').waitFor();
});

await test('a viewer sees no actions, and the server refuses them', async () => {
	await signIn('viewer', secret.viewer);
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	equal(await page.locator('nav a').allTextContents().then((l) => l.filter((t) => /actions|audit|tokens/i.test(t))), [], 'menu');
	const status = await page.evaluate(async () => (await fetch('/dashboard/actions/run-scheduler', { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } })).status);

	equal(status, 403, 'refused');
	await page.getByRole('button', { name: 'Sign out', exact: true }).click();
	await page.locator('.sign-in').waitFor();
});

await test('a pasted token signs in, and is not revoked by signing out', async () => {
	await page.goto(`${base}/panel/`);
	await page.getByText('Sign in with a token').click();
	await page.fill('#token', secret.token);
	await page.click('.sign-in button.main');
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	await page.getByRole('button', { name: 'Sign out', exact: true }).click();
	await page.locator('.sign-in').waitFor();
	equal((await fetch(`${base}/dashboard/me`, { headers: { Authorization: `Bearer ${secret.token}` } })).status, 200, 'it still works');
});

/* -- podcasts: a fake OP3 counts them, and its health is in our hand ---------------------------- */

const DAY_MS = 86400000;
const hand = async (deed) => {
	const done = await fetch(`${secret.hand}/${deed}`);

	const text = await done.text();

	equal(done.status, 200, `${deed}: ${text}`);
	return JSON.parse(text);
};
const sql = (text) => hand(`sql/${encodeURIComponent(text)}`);
const OLD = 'UPDATE op3_shows SET fresh_until = 0';		/* whoever wants figures asks OP3 again */
const figures = () => page.locator('.card').evaluateAll((l) => Object.fromEntries(l.map((c) => [c.getAttribute('aria-label'), c.querySelector('.value').textContent])));
const hasRows = (title) => inTable(title).first().waitFor();
const shown = (n) => (n === null || n === undefined ? '–' : n.toLocaleString('en-US'));

/* How the strip looks and what it says: kind|text. */
const told = () => page.locator('.strip').evaluate((s) => `${s.className.replace('strip', '').trim()}|${s.textContent}`);

/* The page asks as soon as its tab is seen again: let it until it says so. */
async function says(text, prepare = async () => {}) {
	for (const end = Date.now() + 2 * WAIT_MS; Date.now() < end; await page.waitForTimeout(500)) {
		if ((await told()).includes(text))
			return;
		await prepare();
		await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
	}
	throw new Error(`it does not say "${text}" but "${await told()}"`);
}

await test('the podcast pages load, say something, have one h1 and no errors, and fit a phone', async () => {
	await page.goto('about:blank');
	await signIn('root', secret.root);
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	for (const name of ['podcasts', 'listeners'])
		await isSound(name);
});

await test('the podcast dashboard shows what OP3 counted, of all podcasts and of each', async () => {
	const [a, b] = secret.shows.map((s) => s.counts), stats = await api('/api/dashboard/stats');

	await visit('podcasts');
	await settled();
	equal([await shownNumber('Plays in 7 days'), await shownNumber('Plays in 30 days')],
		[a.weeklyDownloads[3] + b.weeklyDownloads[3], a.monthlyDownloads + b.monthlyDownloads], 'plays');
	equal([await shownNumber('Plays in 365 days'), await shownNumber('Plays of all time')], [stats.plays_365d, stats.plays_all_time], 'plays of all days');
	equal([await shownNumber('Episodes'), await shownNumber('Upcoming'), await card('Last assembly').textContent()], [13, 1, 'success'], 'our own');
	const best = secret.shows.flatMap((s) => s.recent).sort((x, y) => y.downloadsAll - x.downloadsAll || y.pubdate.localeCompare(x.pubdate)).slice(0, 3);

	equal(await column(inTable('Top episodes'), 'All'), best.map((e) => shown(e.downloadsAll)), 'top episodes');
	equal(await column(inTable('Top episodes'), '30 days'), best.map((e) => shown(e.downloads30)), 'their first 30 days');
	equal(await inTable('Recent episodes').locator('img').count(), 0, 'markup in a title is text');
	await page.getByText('Night Harbour, the first of 2 podcasts').waitFor();
	await page.selectOption('#choice-podcast', 'p2');
	await page.waitForURL(/podcast=p2/);
	await until('the other podcast', (n) => document.querySelector('.card[aria-label="Plays in 30 days"] .value').textContent === n, shown(b.monthlyDownloads));
	await settled();
	equal(await page.getByText('the first of').count(), 0, 'it is chosen, not the first');
	await page.locator('figure summary').click();
	equal((await column(inTable('Downloads of Second Wind a day'), 'Downloads')).reduce((n, v) => n + asNumber(v), 0), b.monthlyDownloads, 'its 30 days');
});

await test('podcast analytics show what the API says, also as files', async () => {
	const one = '/api/analytics/podcast/p1/', { counts } = secret.shows[0];

	await visit('listeners?podcast=p1');
	await settled();
	await hasRows('Episodes');
	equal(asNumber(await page.locator('section.part strong').first().textContent()), counts.monthlyDownloads, 'in 30 days');
	for (const name of ['Countries', 'Apps', 'Devices']) {
		const a = await api(`${one}${name.toLowerCase()}?days=30&limit=20`);

		equal(await column(inTable(name), 'Downloads'), [...a.items.map((i) => i.downloads), ...a.other > 0 ? [a.other] : []].map(shown), name);
	}
	const windows = await Promise.all(['7d', '30d'].map((w) => api(`${one}compare?window=${w}`)));

	equal(await column(inTable('Windows side by side'), 'Downloads'), [counts.weeklyDownloads[3], counts.monthlyDownloads].map(shown), 'windows');
	equal(await column(inTable('Windows side by side'), 'As long before'), windows.map((w) => shown(w.previous)), 'before');
	const { curves } = await api(`${one}episode-curves?days=30&limit=5`), drawn = curves.filter((e) => e.points.length > 0);

	await page.locator('section', { hasText: 'Episodes since their release' }).locator('figure summary').click();
	for (const e of drawn)
		equal((await column(inTable('Downloads since release'), e.title)).slice(0, e.points.length), e.points.map((p) => shown(p.cumulative)), e.title);
	await page.selectOption('#choice-sort', 'newest');
	await page.waitForURL(/sort=newest/);
	await settled();
	await hasRows('Episodes');
	equal(await column(inTable('Episodes'), 'All'), (await api(`${one}episodes-summary?limit=20&sort=newest`)).episodes.map((e) => shown(e.downloads_all_time)), 'newest first');
	const types = await page.evaluate(() => Promise.all([...document.querySelectorAll('a[download]')].map(async ({ href }) => {
		const answer = await fetch(href);

		return [answer.status, new URL(href).searchParams.get('format'), answer.headers.get('Content-Type').split(';')[0]].join(' ');
	})));

	equal([types.length, [...new Set(types)].sort()], [16, ['200 csv text/csv', '200 xlsx application/vnd.openxmlformats-officedocument.spreadsheetml.sheet']], 'files');
});

await test('OP3 is asked anew on demand, but not all the time', async () => {
	await visit('listeners?podcast=p1');
	await settled();
	await sql(`UPDATE op3_shows SET counts_at = counts_at - 700000, episodes_at = episodes_at - 700000`);
	await page.getByRole('button', { name: 'Refresh from OP3' }).click();
	await page.locator('.toast.ok', { hasText: 'asked anew' }).waitFor();
	await api('/api/dashboard/stats');		/* which asks */
	await page.getByRole('button', { name: 'Refresh from OP3' }).click();
	await page.locator('.toast.bad').waitFor();
});

await test('whoever watches while OP3 is killed, slowed and restored sees the page degrade and recover, and never a wrong number', async () => {
	const PLAYS = ['Plays in 7 days', 'Plays in 30 days'];

	await visit('podcasts');
	await settled();
	const right = await figures(), top = await column(inTable('Top episodes'), 'All');

	await page.evaluate(() => {
		const note = () => document.querySelectorAll('.card').forEach((c) => globalThis.seen.add(`${c.getAttribute('aria-label')}: ${c.querySelector('.value').textContent}`));

		globalThis.seen = new Set();
		new MutationObserver(note).observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true });
	});
	try {
		await hand('refuse');
		await sql(OLD);
		/* Nobody does anything: it asks by itself. */
		await page.locator('.strip.warn', { hasText: 'These are the figures of' }).waitFor({ timeout: 45000 });
		equal(await figures(), right, 'figures that are stale');
		await sql(`UPDATE op3_shows SET fresh_until = 0, counts_at = counts_at - ${8 * DAY_MS}, episodes_at = episodes_at - ${8 * DAY_MS}`);
		await says('not to be had now');
		equal(await figures(), { ...right, ...Object.fromEntries(PLAYS.map((name) => [name, '–'])) }, 'only what is known');
		await page.locator('section', { hasText: 'Top episodes' }).getByText('Not known now.').waitFor();
		equal(new Set(await column(inTable('Recent episodes'), 'Downloads')), new Set(['–']), 'downloads of episodes');
		await page.screenshot({ path: path.join(work, 'podcasts-unavailable.png'), fullPage: true });
		await hand('accept');
		await hand('mode/hang');
		await sql(OLD);
		const began = Date.now();

		await Promise.all([page.waitForResponse(/dashboard\/stats/), page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))]);
		equal(Date.now() - began < 3500, true, 'a hanging OP3 holds nobody up');
		await hand('mode/slow:200');
		await says("|OP3's figures up to", () => sql(OLD));
		equal([await figures(), await column(inTable('Top episodes'), 'All')], [right, top], 'as before');
		const wrong = (await page.evaluate(() => [...globalThis.seen])).filter((text) => !text.endsWith(': –') && !Object.entries(right).some(([k, v]) => text === `${k}: ${v}`));

		equal(wrong, [], 'figures that were never right');
	} finally {
		await hand('mode/up');
		await hand('accept').catch(() => {});
	}
});

await test('podcast analytics without OP3 show the days that were read, and no week that it alone counts', async () => {
	const { counts } = secret.shows[0], windows = () => column(inTable('Windows side by side'), 'Downloads');

	await visit('listeners?podcast=p1');
	await settled();
	try {
		await hand('refuse');
		await sql(OLD);
		await says('OP3 does not answer now');
		equal(await windows(), [counts.weeklyDownloads[3], counts.monthlyDownloads].map(shown), 'stale windows');
		await sql(`UPDATE op3_shows SET fresh_until = 0, counts_at = counts_at - ${8 * DAY_MS}, episodes_at = episodes_at - ${8 * DAY_MS}`);
		await says('not to be had now');
		await until('unknown windows', () => document.querySelector('[aria-label="Windows side by side"] td.none') !== null);
		equal(await windows(), ['–', shown(counts.monthlyDownloads)], 'windows');
		equal(asNumber(await page.locator('section.part strong').first().textContent()), counts.monthlyDownloads, 'in 30 days');
	} finally {
		await hand('accept');
	}
	await says('|Covers', () => sql(OLD));
	await until('known windows', () => document.querySelector('[aria-label="Windows side by side"] td.none') === null);
	equal(await windows(), [counts.weeklyDownloads[3], counts.monthlyDownloads].map(shown), 'windows again');
});

await test('zeros that stand for what cannot be read are not shown', async () => {
	await page.route('**/api/dashboard/stats*', async (route) => {
		const answer = await route.fetch();

		await route.fulfill({ response: answer, json: { ...await answer.json(), degraded: ['local'], total_episodes: 0, upcoming_scheduled: 0,
			last_published_at: null, last_assembly_status: null, episodes_last_30d: 0, recent_episodes: [] } });
	});
	await visit('podcasts?days=90');
	await page.getByText('Our own figures cannot be read now').waitFor();
	equal(await Promise.all(['Episodes', 'Upcoming', 'Last assembly', 'Last published'].map((name) => card(name).textContent())), ['–', '–', '–', '–'], 'our own');
	equal(await shownNumber('Plays in 30 days'), secret.shows[0].counts.monthlyDownloads + secret.shows[1].counts.monthlyDownloads, 'plays');
	await page.unroute('**/api/dashboard/stats*');
});

await test('somebody without a podcast is told what to do, and imports a feed', async () => {
	const come = async (name) => {
		await page.getByRole('button', { name: 'Sign out', exact: true }).click();
		await page.locator('.sign-in').waitFor();
		await signIn(name, secret[name]);
		await page.getByRole('heading', { name: 'Overview' }).waitFor();
		await visit('podcasts');
	};

	await come('viewer');
	await page.locator('.strip').getByText('needs the scope podcast:write').waitFor();
	equal(await page.getByLabel('Address of the feed').count(), 0, 'nothing to fill in without it');
	await come('host');
	await page.getByLabel('Address of the feed').fill('https://nowhere.invalid/feed.xml');
	await page.getByRole('button', { name: 'Import' }).click();
	await page.locator('.toast.bad').waitFor();
	await page.getByLabel('Address of the feed').fill(`${secret.hand}/feed.xml`);
	await page.keyboard.press('Enter');
	await page.locator('.toast.ok', { hasText: 'Third Watch is in, with 1 new episode.' }).waitFor();
	await page.locator('.strip.bad', { hasText: 'Show is not known to OP3 yet' }).waitFor();
	await settled();
	equal(await column(inTable('Recent episodes'), 'Episode'), ['Dog Watch'], 'its episode');
	equal(await column(inTable('Recent episodes'), 'Downloads'), ['–'], 'of which OP3 knows nothing');
	equal(await Promise.all(['Plays in 7 days', 'Plays of all time'].map((name) => card(name).textContent())), ['–', '–'], 'plays');
	await page.getByText('everything with Pro').first().waitFor();
	await visit('listeners');
	await page.locator('.strip.bad', { hasText: 'not_registered' }).waitFor();
});

/* -- product analytics: a MariaDB has the rows, and what they come to is worked out from these --------------------- */

const model = (text) => hand(`model/${encodeURIComponent(text)}`), source = (text) => hand(`source/${encodeURIComponent(text)}`);
const HOUR_MS = 3600000;
const per = (v, places = 1) => `${(100 * v).toFixed(places)} %`;
const PRODUCT = ['product', 'product-history', 'product-votes', 'product-people'];
const METRICS = [['votes', 'Votes'], ['estimations', 'Estimations'], ['new_users', 'New users'], ['rooms', 'New rooms'], ['page_views', 'Page views']];
const part = (title) => page.locator('section.part', { has: page.getByRole('heading', { name: title, exact: true, level: 2 }) });
const come = async (hash) => {
	await visit(hash);
	await settled();
};
/* The page asks again, now. */
const look = () => Promise.all([page.waitForResponse(/analytics\/sync/), page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))]);
const parts = async (title) => part(title).locator('table').first().locator('tbody tr').evaluateAll((l) => l.map((tr) => [...tr.children].map((c) => c.textContent)));

await test('the product pages load, say something, have one h1 and no errors, and fit a phone', async () => {
	const { room } = await hand('product');

	await page.goto('about:blank');
	await context.clearCookies();
	await signIn('root', secret.root);
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	for (const name of ['product', 'product-history?sum=1&who=ever', `product-votes?sort=last_used_at&room=${room.id}`, 'product-people'])
		await isSound(name);
});

await test('the product overview shows what the rows of the product come to', async () => {
	const { historical, traffic, compare, cohorts } = await hand('product'), last = historical.at(-1);

	await come('product');
	equal((await told()).startsWith('|Updated '), true, 'nothing is wrong');
	equal((await part('At a glance').locator('h3').first().textContent()).includes(await page.evaluate((d) =>
		new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(d)), last.date)), true, 'the day of the cards');
	equal(await figures(), {
		Estimations: shown(last.estimations), Votes: shown(last.votes), 'New users': shown(last.new_users), 'New rooms': shown(last.rooms),
		'All users': shown(last.acc_new_users), 'All page views': shown(last.acc_page_views), 'All votes': shown(last.acc_votes),
		'All estimations': shown(last.acc_estimations), 'Unique users': shown(traffic.unique_users), 'Page views': shown(traffic.page_views),
		'Bounce rate': per(traffic.bounce_rate, 0), 'Average duration': `${shown(traffic.average_duration)} min`,
	}, 'cards');
	for (const days of [30, 7]) {
		const titles = Object.fromEntries(METRICS);

		if (days !== 30)
			await choose('days', String(days));
		equal(await parts('Beside the time before'), compare[days].map((r) => [titles[r.metric], shown(r.now), shown(r.before),
			r.before === 0 ? '–' : `${r.now > r.before ? '▲ ' : r.now < r.before ? '▼ ' : ''}${per(Math.abs((r.now - r.before) / r.before))}`]), `${days} days`);
	}
	equal((await parts('Who comes back')).map(([, ...cells]) => cells.filter((text) => text !== '')),
		cohorts.map((c) => c.active.map((n) => (c.users === 0 ? '–' : per(n / c.users, 0)))), 'who comes back');
});

await test('the history shows every workday, its averages and its sums, and who came back', async () => {
	const { historical, reoccurring } = await hand('product'), newest = [...historical].reverse();

	await come('product-history?metric=estimations&sum=1');
	equal(await inTable('Each workday').count(), 30, 'the last 30 first');
	await part('Each workday').getByRole('button', { name: `All ${historical.length}` }).click();
	for (const [name, title] of METRICS) {
		equal(await column(inTable('Each workday'), title), newest.map((r) => shown(r[name])), title);
		equal(await column(inTable('Each workday'), `${title}, sum`), newest.map((r) => shown(r[`acc_${name}`])), `${title}, sum`);
	}
	await part('Each workday').locator('figure summary').click();
	const drawn = inTable('Estimations each workday');

	for (const [title, name] of [['Estimations', ''], ['Average of 30 workdays', 'ma_'], ['Average of 7 workdays', 'ma7_'], ['Sum (right)', 'acc_']])
		equal(await column(drawn, title), historical.map((r) => shown(r[`${name}estimations`])), title);
	for (const [title, name] of [['Users', 'adjusted_reoccurring_users'], ['Users, ever', 'reoccurring_users'], ['Rooms', 'adjusted_reoccurring_rooms'],
		['Rooms, ever', 'reoccurring_rooms']])
		equal(await column(inTable('Came back'), title), [...reoccurring].reverse().slice(0, 30).map((r) => shown(r[name])), title);
	await choose('who', 'ever');
	await part('Came back').locator('figure summary').click();
	equal(await column(inTable('Users and rooms that came back'), 'Users'), reoccurring.map((r) => shown(r.reoccurring_users)), 'ever');

	const [from, to] = [historical.at(-20).date, historical.at(-11).date];

	await page.getByLabel('From').fill(from);
	await page.getByLabel('To').fill(to);
	await follow(() => page.getByRole('button', { name: 'Show' }).click(), new RegExp(`from=${from}&to=${to}`));
	equal(await column(inTable('Each workday'), 'Votes'), newest.slice(10, 20).map((r) => shown(r.votes)), 'ten workdays');
	await follow(() => page.getByRole('link', { name: 'All days' }).click(), (url) => !url.hash.includes('from='));
	equal(await inTable('Each workday').count(), 30, 'all days again');
});

await test('votes by weekday and card, and rooms, which are sorted, found and opened', async () => {
	const { votes, rooms, room } = await hand('product'), days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

	await come('product-votes');
	equal(await figures(), {
		Votes: shown(votes.total_votes), Estimations: shown(votes.total_estimations), 'Estimations a vote': shown(votes.avg_estimations_per_vote),
		'Spectators a vote': shown(votes.avg_spectators_per_vote), 'Lowest estimation': votes.avg_min_estimation.toFixed(2),
		'Average estimation': votes.avg_estimation.toFixed(2), 'Highest estimation': votes.avg_max_estimation.toFixed(2),
		Duration: `${shown(votes.avg_duration_per_vote)} min`,
	}, 'cards');
	for (const summary of await page.locator('figure summary').all())
		await summary.click();
	equal(await parts('By weekday'), days.map((day) => [day, shown(votes.weekday_counts[day] ?? 0)]), 'weekdays');
	equal(await parts('By card'), Object.entries(votes.estimation_counts).sort(([a], [b]) => a - b).map(([value, n]) => [value, shown(n)]), 'cards of the votes');
	equal(await column(inTable('Rooms'), 'Votes'), rooms.votes.map(shown), 'most votes first');
	await choose('sort', 'last_used_at');
	equal(await column(inTable('Rooms'), 'Number'), rooms.last_used_at, 'used last first');
	for (const text of [room.name, String(room.number)]) {
		await page.getByLabel('Name or number').fill(text);
		await follow(() => page.keyboard.press('Enter'), (url) => new URLSearchParams(url.hash.split('?')[1]).get('name') === text);
		equal(await column(inTable('Rooms'), 'Number'), [String(room.number)], `the room ${text}`);
	}
	await follow(() => inTable('Rooms').getByRole('link', { name: room.name }).click(), new RegExp(`room=${room.id}`));
	equal(Object.fromEntries(await part(room.name).locator('.card').evaluateAll((l) => l.map((c) => [c.getAttribute('aria-label'), c.querySelector('.value').textContent]))), {
		Votes: shown(room.votes), 'Average duration': `${Math.floor(room.duration / 60)}:${String(room.duration % 60).padStart(2, '0')}`,
		Estimations: shown(room.estimations), 'Estimations a vote': shown(room.estimations_per_vote), 'Lowest estimation': room.avg_min_estimation.toFixed(2),
		'Average estimation': room.avg_avg_estimation.toFixed(2), 'Highest estimation': room.avg_max_estimation.toFixed(2), Spectators: shown(room.spectators),
		'Spectators a vote': shown(room.spectators_per_vote),
	}, 'the room');
	await follow(() => part(room.name).getByRole('link', { name: 'Close' }).click(), (url) => !url.hash.includes('room='));
	equal(await part(room.name).count(), 0, 'closed');
	await visit('product-votes?room=123456');
	await page.getByText('There is no such room').waitFor();
	await visit('product-votes?name=nobody');
	await page.getByText('No room has this name or number.').waitFor();
});

await test('what users do, where they are and what with: the most frequent of each', async () => {
	const { lists } = await hand('product');
	const plain = (v) => (v === null ? 'Not known' : v === '' ? '(empty)' : v.trim() === '' ? '(blank)' : v);

	await come('product-people');
	for (const [title, { items, values, total }] of Object.entries(lists)) {
		if (items.length > 10)
			await part(title).getByRole('button', { name: `All ${items.length}` }).click();
		const seen = await parts(title);

		equal(seen.map(([, n]) => n), items.map(([, n]) => shown(n)), title);
		equal(seen.map(([, , of]) => of), items.map(([, n]) => per(Number((n / total).toFixed(4)))), `${title}, shares`);
		equal((await part(title).locator('.note').textContent()).includes(`of ${shown(values)} that are`), values > 40, `${title}, how many there are`);
		if (['Devices', 'Operating systems', 'Browsers'].includes(title))
			equal(seen.map(([name]) => name), items.map(([[v]]) => plain(v)), `${title}, names`);
	}
	const germany = lists.Countries.items.find(([[code]]) => code === 'DE');

	equal((await parts('Countries')).find(([name]) => name === 'DE – Germany')[1], shown(germany[1]), 'a country has its English name');
	equal((await parts('Pages')).some(([name]) => name === 'Imprint'), true, 'a page');
	const [name] = lists.Rooms.items.find(([v]) => /^\w+-\d+$/.test(v));

	await follow(() => part('Rooms').getByRole('link', { name, exact: true }).click(), /product-votes/);
	equal(await column(inTable('Rooms'), 'Room'), [name], 'a room leads to its votes');
});

await test('the tables of the product are files, too', async () => {
	const { lists, historical } = await hand('product'), seen = [];

	for (const name of PRODUCT) {
		await come(name);
		seen.push(...await page.evaluate(() => Promise.all([...document.querySelectorAll('a[download]')].map(async ({ href }) => {
			const answer = await fetch(href), { pathname, search, searchParams } = new URL(href), format = searchParams.get('format');

			return { what: pathname + search, text: `${answer.status} ${format} ${answer.headers.get('Content-Type').split(';')[0]}`,
				rows: format === 'csv' ? (await answer.text()).trim().split('\n').length - 1 : null };
		}))));
	}
	equal([seen.length, [...new Set(seen.map((f) => f.text))].sort()],
		[34, ['200 csv text/csv', '200 xlsx application/vnd.openxmlformats-officedocument.spreadsheetml.sheet']], 'files');
	const rows = (text) => seen.find((f) => f.rows !== null && f.what.includes(text)).rows;

	equal([rows('/historical?'), rows('by=route&'), rows('by=event&')], [historical.length, lists.Pages.values, lists.Events.values], 'their rows');
});

await test('a synchronisation that fails is told on every page, and what is shown stays', async () => {
	await come('product');
	const right = await figures();

	try {
		await hand('source-refuse');
		await hand('sync');
		await says('warn|The last synchronisation failed: the server cannot be reached.What is shown is of ');
		equal(await figures(), right, 'figures');
		await page.screenshot({ path: path.join(work, 'product-failed.png'), fullPage: true });
		for (const name of PRODUCT) {
			await visit(name);
			await page.locator('.strip.warn', { hasText: 'The last synchronisation failed' }).waitFor();
		}
		await model(`UPDATE sync_meta SET v = '${new Date(Date.now() - 2.01 * HOUR_MS).toISOString()}' WHERE k = 'last_success_at'`);
		await says(', 2 h ago.');
		await model("DELETE FROM sync_meta WHERE k = 'run_error'");
		await says('warn|The synchronisation has not run as it should');
		await hand('source-normal');
		await source('RENAME TABLE fpp_votes TO fpp_gone');
		await hand('sync');
		await says('warn|The last synchronisation failed: fpp_votes: ');
		await says('The other tables were read.');
	} finally {
		await hand('source-normal');
		await source('RENAME TABLE fpp_gone TO fpp_votes').catch(() => {});
		await hand('sync');
	}
	await says('|Updated ');
	await model("INSERT OR REPLACE INTO sync_meta VALUES ('is_demo', 1)");
	await says("todo|These figures are a demonstration's");
	await hand('sync');
	await says('|Updated ');
	await come('product');
	equal(await figures(), right, 'figures again');
});

await test('without the server the product pages say so, and come back', async () => {
	await come('product-votes');
	await page.route('**/analytics/sync', (route) => route.abort('connectionrefused'));
	await says('bad|The server cannot be reached. What is shown is of ');
	await page.locator('.dot.offline').waitFor();
	await page.unroute('**/analytics/sync');
	await says('|Updated ');
});

await test('the same figures leave a product page as it is, new ones come without a reload', async () => {
	const isKept = () => page.evaluate(() => document.querySelectorAll('.seen').length);

	await come('product-votes');
	const before = await shownNumber('Votes');

	await page.evaluate(() => document.querySelectorAll('canvas, tbody tr:first-child').forEach((e) => e.classList.add('seen')));
	const marked = await isKept();

	await Promise.all([page.waitForResponse(/analytics\/rooms/), look()]);
	await page.waitForTimeout(300);
	equal([marked > 3, await isKept()], [true, marked], 'as it was');
	await source('INSERT INTO fpp_votes (room_id, avg_estimation, max_estimation, min_estimation, amount_of_estimations, amount_of_spectators, duration, was_auto_flip)' +
		' VALUES (1, 3, 5, 1, 2, 0, 30, false)');
	await hand('sync');
	await look();
	await until('one vote more', (n) => Number(document.querySelector('.card[aria-label="Votes"] .value').textContent.replace(/\D/g, '')) === n, before + 1);
});

await test('where no product ever was the pages tell how to connect one, and show no figures', async () => {
	/* What the page before asks until it is left is still for the other one. */
	await page.goto('about:blank');
	base = secret.blank;
	await signIn('root', secret.root);
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	for (const name of PRODUCT) {
		await isSound(name);
		await come(name);
		equal([(await told()).startsWith('todo|There are no figures yet'), (await told()).includes('DB_HOST'), (await told()).includes('pilothouse jobs run readmodel')],
			[true, true, true], 'what to do');
		equal([await page.locator('main canvas').count(), await page.locator('.card').count()], [0, 0], 'nothing to look at');
		equal(await page.locator('.part .empty').count() > 0, true, 'empty parts say so');
	}
	await hand('fail-first-sync');
	await says('bad|The last synchronisation failed: the server cannot be reached.There are no figures yet');
});

await browser.close();
