/*
 * api.js -- asking the server.  The session is a cookie that scripts do not see.
 */

/* What a problem+json answer says, or that there was none. */
export class Problem extends Error {
	constructor(status, body) {
		super(body?.detail || body?.title || (status ? `The server answers ${status}.` : 'The server cannot be reached.'));
		this.status = status;
		this.retryAfter = 0;
	}
}

/* The session is over: whoever shows the pages decides what to do. */
export const session = new EventTarget();

export function query(params = {}) {
	const q = new URLSearchParams();

	for (const [k, v] of Object.entries(params))
		if (v !== undefined && v !== null && v !== '')
			q.set(k, v);
	return q.size > 0 ? `?${q}` : '';
}

async function ask(method, path, body) {
	let answer;

	try {
		answer = await fetch(path, {
			method, credentials: 'same-origin',
			/* Who takes text/html at / is sent to the panel. */
			headers: { Accept: 'application/json', ...body === undefined ? {} : { 'Content-Type': 'application/json' } },
			body: body === undefined ? undefined : JSON.stringify(body),
		});
	} catch {
		throw new Problem(0);
	}

	const text = await answer.text().catch(() => '');
	let json = null;

	try {
		json = JSON.parse(text);
	} catch {
		/* a proxy's page: the status says enough */
	}
	if (answer.ok && json !== null)
		return json;

	const problem = new Problem(answer.ok ? 502 : answer.status, json);

	problem.retryAfter = Number(answer.headers.get('Retry-After')) || 0;
	if (problem.status === 401 && path !== '/dashboard/login')
		session.dispatchEvent(new Event('end'));
	throw problem;
}

export const get = (path, params) => ask('GET', path + query(params));
export const post = (path, body = {}) => ask('POST', path, body);
export const put = (path, body) => ask('PUT', path, body);
export const del = (path) => ask('DELETE', path);
