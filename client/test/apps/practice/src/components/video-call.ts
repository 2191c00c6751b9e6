// A socket of its own, by hand.

export function joinCall(roomId: string, userId: number, got: (type: string) => void): WebSocket {
	const host = process.env['NEXT_PUBLIC_WS_HOST'] ?? 'localhost:9003';
	const socket = new WebSocket(`ws://${host}/ws`);
	socket.onopen = () => socket.send(JSON.stringify({ type: 'join-room', roomId, userId }));
	socket.onmessage = ({ data }) => got((JSON.parse(String(data)) as { type: string }).type);
	return socket;
}
