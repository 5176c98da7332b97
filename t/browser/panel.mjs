/*
 * panel.mjs -- the panel in a real browser.  Prints one JSON line per test: {name, ok, detail}.
 *
 *	node panel.mjs BASE WORK_DIR < {"root": password, "viewer": password, "token": token}
 *
 * The instance holds demonstration data, and a video called <img src=x onerror=alert(1)>.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.PH_NODE_MODULES, 'x.js'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const [base, work] = process.argv.slice(2);
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
page.on('console', (m) => m.type() === 'error' && !/status of (401|403|404|409|422|502|503)/.test(m.text()) && !/ERR_(CONNECTION|INCOMPLETE|NETWORK)/.test(m.text()) && faults.push(m.text()));
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

for (const name of PAGES)
	await test(`${name}: loads, says something, has one h1 and no errors, and fits a phone`, async () => {
		await visit(name);
		await page.waitForLoadState('networkidle').catch(() => {});
		await until('everything has loaded', () => document.querySelectorAll('[aria-busy=true]').length === 0);
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
		const { violations } = await page.evaluate(() => globalThis.axe.run());

		equal(violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => [v.id, v.nodes.map((n) => n.target.join(' '))]), [], 'accessibility');
		for (const [size, viewport] of Object.entries(WIDTHS))
			for (const colorScheme of ['light', 'dark']) {
				await page.setViewportSize(viewport);
				await page.emulateMedia({ colorScheme });
				await page.screenshot({ path: path.join(work, `${name}-${size}-${colorScheme}.png`), fullPage: true });
				equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `no sideways scrolling, ${size}`);
			}
		await page.setViewportSize(WIDTHS.laptop);
		await page.emulateMedia({ colorScheme: 'light' });
	});

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

await test('choices are in the address and survive a reload', async () => {
	/* A choice shows the page anew; the next one is made there. */
	const choose = async (name, value) => {
		await page.evaluate(() => { document.querySelector('h1').id = 'before'; });
		await page.selectOption(`#choice-${name}`, value);
		await page.waitForURL(new RegExp(`${name}=${value}`));
		await until('the page is shown anew', () => document.getElementById('before') === null);
		await settled();
	};

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

	await until('the count', (n) => document.querySelector('nav .count').textContent === n, String(before));
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

await browser.close();
