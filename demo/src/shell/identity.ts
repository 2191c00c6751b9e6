// SPDX-License-Identifier: MIT
//
// Who one is comes with the address, behind the #, which browsers send to no server: `token=<JWT>`, or, for a server
// in open mode, `practice=1&user=1&name=Reception&role=staff`. A view may be named before it: `#/call?token=<JWT>`.
// It is kept for this tab and taken out of the address, so that a copied address gives no token away.

const KEPT = 'praxis-demo-who';
const OURS = ['token', 'practice', 'user', 'name', 'role'];

export interface Identity {
	token?: string;
	/** Of the query, in open mode. */
	query?: Record<string, string | undefined>;
	/** What the token says of itself; the server decides, this only saves a wrong first picture. */
	role?: string;
}

export interface Address {
	route: string;
	params: URLSearchParams;
}

/** `#/call?room=7` is route "call"; what has no slash is parameters alone. */
export function readHash(hash: string): Address {
	const text = hash.replace(/^#/, '');
	const [path = '', query = ''] = text.startsWith('/') ? text.split(/\?(.*)/s) : ['', text];
	return { route: path.replace(/^\//, ''), params: new URLSearchParams(query) };
}

export function writeHash({ route, params }: Address): string {
	const query = params.toString();
	return `#/${route}${query && `?${query}`}`;
}

/** Takes an identity out of the address. True: there was one, and it is kept for this tab. */
export function takeIdentity(): boolean {
	const { route, params } = readHash(location.hash);
	const who = new URLSearchParams();
	for (const name of OURS) {
		const value = params.get(name);
		if (value !== null) {
			who.set(name, value);
			params.delete(name);
		}
	}
	const found = who.has('token') || who.has('practice');
	if (found) {
		sessionStorage.setItem(KEPT, who.toString());
		const rest = route ? writeHash({ route, params }) : '';
		history.replaceState(null, '', `${location.pathname}${location.search}${rest}`);
	}
	return found;
}

export function keptIdentity(): Identity | null {
	const who = new URLSearchParams(sessionStorage.getItem(KEPT) ?? '');
	const token = who.get('token');
	if (token) {
		return { token, role: roleOf(token) };
	}
	const practiceId = who.get('practice');
	if (!practiceId) {
		return null;
	}
	const role = who.get('role') ?? 'staff';
	const [userId, userName] = [who.get('user') ?? undefined, who.get('name') ?? undefined];
	return { query: { practiceId, userId, userName, role }, role };
}

function roleOf(token: string): string | undefined {
	try {
		const claims = atob((token.split('.')[1] ?? '').replace(/-/g, '+').replace(/_/g, '/'));
		return (JSON.parse(claims) as { role?: string }).role;
	} catch {
		return undefined; // the server will say what is wrong with it
	}
}
