/*
 * live.js -- figures as they change: Server-Sent Events, and polite polling when these do not come.
 *
 * One stream per page.  While it is down the same figures are asked for every few seconds, never two
 * requests at once and none in a hidden tab, and the stream is tried again.
 */
import { Problem, get } from './api.js';

const POLL_MS = 5000;
const AGAIN_MS = 15000;
const REFRESH_MS = 10000;
/* What is asked for without a stream; telemetry comes by stream alone. */
const pathOf = (topic) => (topic === 'alerts' ? '/dashboard/alerts/stats' : `/dashboard/stats/${topic}`);

/*
 * Follow topics.  onData(topic, data) for each news; onState('live' | 'polling' | 'offline', at) when that
 * changes and at each news.  The sections are loaded again when there is news, at most every ten seconds.
 * Returns the function that ends it.
 */
export function follow(topics, onData, onState, sections = []) {
	let source = null, timer = null, again = null, isAsking = false, isEnded = false;
	let state = null, refreshing = null;
	const last = new Map();

	/* The first figures come with the page; the same ones again are no news. */
	function noteNews(topic, data) {
		const text = JSON.stringify(data);
		const isNews = last.has(topic) && last.get(topic) !== text;

		last.set(topic, text);
		if (!isNews || refreshing !== null)
			return;
		refreshing = setTimeout(() => {
			refreshing = null;
			if (!isEnded && !document.hidden)
				sections.forEach((s) => Promise.resolve(s.refresh()).catch(() => {}));
		}, REFRESH_MS);
	}

	const become = (now) => {
		state = now;
		onState(state, new Date());
	};
	const take = (topic, data) => {
		onData(topic, data);
		noteNews(topic, data);
		onState(state, new Date());
	};

	const stopPolling = () => {
		clearTimeout(timer);
		timer = null;
	};

	/* isFirst: only to have figures before the stream brings them. */
	async function poll(isFirst = false) {
		timer = null;
		if (isEnded || document.hidden || isAsking)
			return;
		isAsking = true;
		try {
			for (const topic of topics.filter((t) => t !== 'telemetry'))
				take(topic, await get(pathOf(topic), topic === 'alerts' ? {} : { include: 'extended' }));
			if (!isFirst && !isEnded && source?.readyState !== EventSource.OPEN)
				become('polling');
		} catch (e) {
			if (!(e instanceof Problem))
				throw e;
			if (!isEnded)
				become('offline');
		} finally {
			isAsking = false;
		}
		if (!isEnded && source?.readyState !== EventSource.OPEN)
			timer = setTimeout(poll, POLL_MS);
	}

	function connect() {
		clearTimeout(again);
		again = null;
		if (isEnded || document.hidden)
			return;
		source?.close();
		source = new EventSource(`/dashboard/stream?topics=${topics.join(',')}`);
		for (const topic of topics)
			source.addEventListener(topic, (event) => take(topic, JSON.parse(event.data)));
		source.onopen = () => {
			stopPolling();
			become('live');
		};
		source.onerror = () => {
			source.close();
			if (timer === null && !isAsking)
				poll();
			again ??= setTimeout(connect, AGAIN_MS);
		};
	}

	function onVisibility() {
		if (document.hidden) {
			source?.close();
			stopPolling();
			clearTimeout(again);
			again = null;
		} else
			connect();
	}

	document.addEventListener('visibilitychange', onVisibility);
	connect();
	poll(true);
	return () => {
		isEnded = true;
		clearTimeout(refreshing);
		document.removeEventListener('visibilitychange', onVisibility);
		source?.close();
		stopPolling();
		clearTimeout(again);
	};
}
