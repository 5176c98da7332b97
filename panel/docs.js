/*
 * docs.js -- the API page: renders /openapi.json and sends requests from it.
 *
 * What comes from outside (the description, answers, headers) reaches the page as text only.
 * The token is kept in sessionStorage, so it ends with the tab.
 */

import { byId, el } from './dom.js';

const TOKEN_KEY = 'pilothouse.token';
const SHOWN_HEADERS = ['ETag', 'X-Request-ID', 'Server-Timing', 'X-Cache', 'Retry-After'];
const WIDE = matchMedia('(min-width: 50.01rem)');

const token = byId('token');

/* -- JSON as it came: indented and coloured, every digit kept ---------------------------- */

function showJson(text) {
	const out = document.createDocumentFragment();
	const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
	let depth = 0;
	const line = () => '\n' + '  '.repeat(depth);

	tokens.forEach((t, i) => {
		const isEmpty = (t === '{' && tokens[i + 1] === '}') || (t === '[' && tokens[i + 1] === ']');

		if (t === '{' || t === '[') {
			depth += 1;
			out.append(t, isEmpty ? '' : line());
		} else if (t === '}' || t === ']') {
			depth -= 1;
			out.append(tokens[i - 1] === '{' || tokens[i - 1] === '[' ? '' : line(), t);
		} else if (t === ',')
			out.append(t, line());
		else if (t === ':')
			out.append(': ');
		else {
			const kind = t[0] === '"' ? (tokens[i + 1] === ':' ? 'k' : 's') : /^[-\d]/.test(t) ? 'n' : 'l';

			out.append(el('span', { className: kind }, t));
		}
	});
	return out;
}

/* -- what a schema says -------------------------------------------------------------------- */

const typesOf = (schema) => [schema.type ?? []].flat();

function typeText(schema, unit) {
	const types = typesOf(schema).filter((t) => t !== 'null');
	const isTime = types.includes('string') && types.includes('integer');
	const parts = schema.enum ? [] : [isTime ? 'instant' : types.join(' or ')];

	if (unit)
		parts.push(unit);
	if (schema.items?.enum)
		parts.push(schema.items.enum.map((v) => JSON.stringify(v)).join(', '));
	if (schema.enum)
		parts.push(schema.enum.map((v) => JSON.stringify(v)).join(', '));
	if (schema.maximum !== undefined)
		parts.push(`${schema.minimum} to ${schema.maximum}`);
	if (schema.maxLength !== undefined)
		parts.push(`${schema.minLength ?? 0} to ${schema.maxLength} bytes`);
	return parts.join(' · ');
}

/* Our descriptions end in "Unit: X." and "Only with include=extended." */
function splitDescription(text = '') {
	const isExtended = text.includes('Only with include=extended.');
	const rest = text.replace(/\s*Only with include=extended\./, '');
	const unit = rest.match(/\s*Unit: ([^.]+)\.\s*$/);

	return { isExtended, unit: unit?.[1], text: unit ? rest.slice(0, unit.index) : rest };
}

/* The fields of an object; an object like an earlier sibling is not listed twice. */
function fieldList(schema, label) {
	const seen = new Map();
	const list = el('ul', { className: 'fields', 'aria-label': label });

	for (const [name, f] of Object.entries(schema.properties ?? {})) {
		const d = splitDescription(f.description);
		const inner = f.properties ?? f.items?.properties;
		const shape = inner && JSON.stringify(inner);
		const twin = shape && seen.get(shape);
		const item = el('li', {},
			el('div', { className: 'line' }, el('span', { className: 'name' }, name),
				el('span', { className: 'type' }, typeText(f, d.unit)),
				typesOf(f).includes('null') && el('span', { className: 'tag null' }, 'nullable'),
				d.isExtended && el('span', { className: 'tag ext' }, 'extended')),
			d.text && el('p', {}, d.text));

		if (twin)
			item.append(el('p', {}, 'The same fields as ', el('code', {}, twin), '.'));
		else if (inner) {
			seen.set(shape, name);
			item.append(fieldList(f.properties ? f : f.items, `Fields of ${name}`));
		}
		list.append(item);
	}
	return list;
}

function paramTable(params) {
	const cell = (label, ...c) => el('td', { className: label }, ...c);

	return el('div', { className: 'scroll' }, el('table', {},
		el('thead', {}, el('tr', {}, ['Name', 'Type', 'Meaning'].map((t) => el('th', { scope: 'col' }, t)))),
		el('tbody', {}, params.map((p) => {
			const d = splitDescription(p.description);
			const dflt = p.schema.default;

			return el('tr', {}, el('th', { scope: 'row' }, p.name), cell('type', typeText(p.schema, d.unit)),
				cell('', d.text, p.required ? ' Required.' :
					dflt !== undefined ? ` Default: ${dflt}.` : ''));
		}))));
}

/* A body to begin with: what is required, by its type. */
function sample(schema) {
	const first = { integer: schema.minimum ?? 0, number: schema.minimum ?? 0, boolean: false, array: [], object: {} };
	const members = Object.entries(schema.properties ?? {}).filter(([name]) => schema.required?.includes(name));

	if (schema.type === 'object')
		return Object.fromEntries(members.map(([name, s]) => [name, sample(s)]));
	return schema.default ?? schema.enum?.[0] ?? first[typesOf(schema)[0]] ?? '';
}

/* The members of a body as rows like those of parameters. */
const bodyParams = (schema) => Object.entries(schema.properties ?? {}).map(([name, s]) =>
	({ name, schema: s, description: s.description, required: schema.required?.includes(name) }));

/* -- try it ---------------------------------------------------------------------------------- */

function input(p, id) {
	const s = p.schema;
	const common = { id, name: p.name, required: p.required };

	if (p.in === 'body')
		return el('textarea', { ...common, rows: 6, spellcheck: false, value: JSON.stringify(sample(s), null, 2) });
	if (s.enum)
		return el('select', common, !p.required && el('option', { value: '' }, '(not sent)'),
			s.enum.map((v) => el('option', { value: v }, v)));
	if (s.type === 'integer' || s.type === 'number')
		return el('input', { ...common, type: 'number', min: s.minimum, max: s.maximum,
			step: s.type === 'integer' ? 1 : 'any', placeholder: s.default ?? '' });
	return el('input', { ...common, type: 'text', maxLength: s.maxLength ?? 8192, placeholder: s.default ?? '' });
}

async function copy(text, button) {
	const label = button.textContent;

	try {
		await navigator.clipboard.writeText(text);
		button.textContent = 'Copied';
	} catch {
		/* No clipboard without a secure origin: select the line instead. */
		getSelection().selectAllChildren(button.closest('form').querySelector('.curl'));
		button.textContent = 'Press Ctrl+C';
	}
	setTimeout(() => { button.textContent = label; }, 2000);
}

function tryForm(op) {
	const curl = el('code');
	const status = el('p', { className: 'status', role: 'status', 'aria-live': 'polite' });
	const heads = el('dl', { className: 'heads', hidden: true });
	const body = el('pre', { className: 'body', tabIndex: 0, hidden: true, role: 'group', 'aria-label': 'Body of the answer' });
	const send = el('button', { className: 'send', type: 'submit' }, 'Send');
	const copier = el('button', { type: 'button' }, 'Copy curl');
	const conditional = el('input', { type: 'checkbox' });
	const conditionalRow = el('div', { className: 'row', hidden: true },
		el('label', { className: 'check' }, conditional, 'Send the last ETag in If-None-Match'));
	const rows = op.params.map((p) => {
		const id = `try-${op.id}-${p.name}`;

		return el('div', { className: 'row' },
			el('label', { htmlFor: id }, p.name, p.required && el('small', {}, ' required')), input(p, id));
	});
	const form = el('form', { className: 'try', noValidate: false, 'aria-label': `Try ${op.method} ${op.path}` },
		el('h4', {}, 'Try it'), rows,
		!op.isPublic && el('p', { className: 'hint' }, 'No token is set. ', el('a', { href: '#token' }, 'Enter one'), ' first.'),
		conditionalRow, el('pre', { className: 'curl', tabIndex: 0, role: 'group', 'aria-label': 'curl' }, curl),
		el('div', { className: 'buttons' }, send, copier), status, heads, body);
	let etag = '';

	const valueOf = (p) => form.elements.namedItem(p.name).value;
	/* The path with its {name}s, and the query. */
	const target = () => {
		const q = new URLSearchParams();
		let path = op.path;

		for (const p of op.params)
			if (p.in === 'path')
				path = path.replace(`{${p.name}}`, encodeURIComponent(valueOf(p)) || `{${p.name}}`);
			else if (p.in === 'query' && valueOf(p) !== '')
				q.append(p.name, valueOf(p));
		return path + (q.size > 0 ? `?${q}` : '');
	};
	const bodyParam = op.params.find((p) => p.in === 'body');
	const bodyText = () => bodyParam && valueOf(bodyParam).trim();
	const wantsEtag = () => conditional.checked && etag !== '';
	const describe = () => {
		curl.textContent = ['curl -s', op.method !== 'GET' && `-X ${op.method}`,
			!op.isPublic && '-H "Authorization: Bearer $T"', wantsEtag() && `-H 'If-None-Match: ${etag}'`,
			bodyText() && `-H 'Content-Type: application/json' -d '${bodyText().replaceAll("'", "'\\''")}'`,
			`"${location.origin}${target()}"`].filter(Boolean).join(' ');
	};
	const show = (kind, ...text) => {
		status.className = `status ${kind}`;
		status.replaceChildren(...text);
	};

	form.addEventListener('input', describe);
	copier.addEventListener('click', () => copy(curl.textContent, copier));
	form.addEventListener('submit', async (event) => {
		const headers = new Headers();
		const started = performance.now();

		event.preventDefault();
		send.disabled = true;
		heads.hidden = body.hidden = true;
		show('', 'Sending …');
		try {
			if (!op.isPublic && token.value !== '')
				headers.set('Authorization', `Bearer ${token.value.trim()}`);
			if (wantsEtag())
				headers.set('If-None-Match', etag);
			if (bodyText())
				headers.set('Content-Type', 'application/json');
			const answer = await fetch(target(), { method: op.method, headers, body: bodyText() || undefined,
				cache: 'no-store', credentials: 'omit' });
			const text = await answer.text();
			const elapsed = performance.now() - started;
			const isJson = /[/+]json\b/.test(answer.headers.get('Content-Type') ?? '');
			const code = isJson && !answer.ok ? JSON.parse(text).code : undefined;

			show(answer.ok ? 'ok' : answer.status < 400 ? '' : answer.status < 500 ? 'warn' : 'bad',
				el('b', {}, `${answer.status} ${answer.statusText}`.trim()), ` · ${elapsed.toFixed(1)} ms · ${new Blob([text]).size} bytes`,
				...code && byId(code) ? [' · ', el('a', { href: `#${code}` }, code)] : []);
			heads.replaceChildren(...SHOWN_HEADERS.filter((h) => answer.headers.has(h)).flatMap((h) =>
				[el('dt', {}, h), el('dd', {}, answer.headers.get(h))]));
			heads.hidden = heads.childElementCount === 0;
			body.replaceChildren(isJson ? showJson(text) : text);
			body.hidden = text === '';
			if (answer.ok)
				etag = answer.headers.get('ETag') ?? '';
			conditionalRow.hidden = etag === '';
			describe();
		} catch (error) {
			show('bad', el('b', {}, 'No answer'), ` · ${error.message}`);
		}
		send.disabled = false;
	});
	describe();
	return form;
}

/* -- the page --------------------------------------------------------------------------------- */

function operation(op) {
	const success = Object.keys(op.spec.responses ?? {}).find((status) => status.startsWith('2'));
	const answer = op.spec.responses?.[success]?.content?.['application/json']?.schema;
	const schema = answer?.items ?? answer;
	const params = op.params.filter((p) => p.in !== 'body');
	const body = op.params.find((p) => p.in === 'body');
	const title = `h-${op.id}`;

	return el('article', { className: 'op', id: op.id, 'aria-labelledby': title },
		el('div', { className: 'what' },
			el('h3', { className: 'title', id: title }, op.spec.summary ?? op.path),
			el('p', { className: 'line' }, el('span', { className: 'method' }, op.method),
				el('span', { className: 'path' }, op.path),
				el('span', { className: 'tag' }, op.isPublic ? 'public' : `scope ${op.spec['x-scope'] ?? 'any'}`)),
			op.spec.description && el('p', {}, op.spec.description),
			params.length > 0 && [el('h4', {}, 'Parameters'), paramTable(params)],
			body && [el('h4', {}, 'Members of the body'), paramTable(bodyParams(body.schema))],
			schema && [el('h4', {}, answer.items ? 'Fields of each element' : 'Fields of the answer'),
				fieldList(schema, 'Fields of the answer')]),
		tryForm(op));
}

/* The body as one more parameter. */
function bodyOf(op) {
	const schema = op.requestBody?.content?.['application/json']?.schema;

	return schema ? [{ name: 'body', in: 'body', schema }] : [];
}

function operationsOf(spec) {
	const list = [];

	for (const [path, item] of Object.entries(spec.paths))
		for (const [method, op] of Object.entries(item))
			list.push({ path, spec: op, method: method.toUpperCase(), id: `op-${op.operationId}`,
				tag: op.tags?.[0] ?? 'other', params: [...op.parameters ?? [], ...bodyOf(op)],
				isPublic: op.security?.length === 0 });
	return list;
}

function render(spec) {
	const all = operationsOf(spec);
	const place = byId('operations');
	const toc = byId('toc-operations');

	byId('version').textContent = spec.info.version;
	place.replaceChildren();
	for (const tag of new Set(all.map((op) => op.tag))) {
		const ops = all.filter((op) => op.tag === tag);

		toc.append(el('p', { className: 'group' }, tag), el('ul', {},
			ops.map((op) => el('li', {}, el('a', { href: `#${op.id}` }, op.method === 'GET' ? '' : `${op.method} `, op.path)))));
		place.append(el('section', { 'aria-labelledby': `area-${tag}` },
			el('h2', { className: 'area', id: `area-${tag}` }, tag), ops.map(operation)));
	}
	place.setAttribute('aria-busy', 'false');
}

/* Mark in the contents what is being read. */
function followReading() {
	const links = new Map([...document.querySelectorAll('.side a')].map((a) => [a.hash.slice(1), a]));
	const visible = new Set();
	const targets = [...links.keys()].map(byId).filter(Boolean);
	const observer = new IntersectionObserver((entries) => {
		for (const e of entries)
			visible[e.isIntersecting ? 'add' : 'delete'](e.target);
		const first = targets.find((t) => visible.has(t));

		if (first)
			for (const [id, a] of links)
				a[id === first.id ? 'setAttribute' : 'removeAttribute']('aria-current', 'true');
	}, { rootMargin: '-20% 0px -60% 0px' });

	targets.forEach((t) => observer.observe(t));
}

function tokenChanged() {
	for (const hint of document.querySelectorAll('.hint'))
		hint.hidden = token.value.trim() !== '';
}

token.value = sessionStorage.getItem(TOKEN_KEY) ?? '';
token.addEventListener('input', () => {
	sessionStorage.setItem(TOKEN_KEY, token.value.trim());
	tokenChanged();
});
document.addEventListener('click', (event) => {
	if (event.target.hash === '#token') {
		event.preventDefault();
		token.focus();
	} else if (event.target.closest?.('.side a') && !WIDE.matches)
		byId('toc').open = false;
});
const foldContents = () => { byId('toc').open = WIDE.matches; };
WIDE.addEventListener('change', foldContents);
foldContents();
byId('example-base').textContent = location.origin;

try {
	const answer = await fetch('/openapi.json', { credentials: 'omit' });

	if (!answer.ok)
		throw new Error(`/openapi.json answers ${answer.status}`);
	render(await answer.json());
	tokenChanged();
	followReading();
	/* The list has moved what the address points at. */
	byId(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView({ behavior: 'instant' });
} catch (error) {
	byId('operations').replaceChildren(el('p', { className: 'notice bad', role: 'alert' },
		`The operations could not be loaded: ${error.message}.`));
}
