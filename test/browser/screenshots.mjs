// SPDX-License-Identifier: MIT
//
// Makes the pictures of the documentation: a real server, the real pages, a practice in which
// something happens.
//
//     PRAXIS_BUILD=$PWD/build node test/browser/screenshots.mjs docs/images

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { claimsOf, sign, tokenVhost } from '../e2e/lib/issuer.mjs';
import { Praxisd } from '../e2e/lib/praxisd.mjs';
import { Browser, buildDashboard, buildPages } from './lib/browser.mjs';

const directory = path.resolve(
	process.argv[2] ?? fileURLToPath(new URL('../../docs/images', import.meta.url)),
);
const LINES = 60; // so that the dashboard has curves
const VIEW = { viewport: { width: 1440, height: 900 } };

// A camera that shows somebody instead of a test pattern.
function useCamera(colours) {
	const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
	navigator.mediaDevices.getUserMedia = async ({ audio, video }) => {
		const sound = audio ? (await native({ audio })).getTracks() : [];
		if (!video) {
			return new MediaStream(sound);
		}
		const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
		const context = canvas.getContext('2d');
		const circle = (colour, x, y, radius) => {
			context.fillStyle = colour;
			context.beginPath();
			context.arc(x, y, radius, 0, 2 * Math.PI);
			context.fill();
		};
		const draw = () => {
			context.fillStyle = colours.wall;
			context.fillRect(0, 0, 640, 480);
			circle(colours.coat, 320, 520, 210);
			circle(colours.hair, 320, 205, 104);
			circle('#e3b98f', 320, 225, 92);
		};
		draw();
		setInterval(draw, 100);
		return new MediaStream([...canvas.captureStream(10).getTracks(), ...sound]);
	};
}

const RECEPTION = { wall: '#cfd9d6', coat: '#0b6e6e', hair: '#4a3526' };
const WEBER = { wall: '#d9d3c7', coat: '#f7f7f7', hair: '#8a8a8a' };

const pages = await buildPages();
const dashboard = await buildDashboard();
const praxis = new Praxisd();
const browser = await Browser.launch();
let reception;

async function open(at, claims, colours) {
	const page = await browser.page(VIEW);
	await page.addInitScript(useCamera, colours);
	await page.goto(`http://127.0.0.1:${praxis.port}${at}#token=${await sign(claimsOf(claims))}`);
	await page.waitForSelector('#status[data-state=connected]');
	return page;
}

// Moves a card to the next column, and waits until the others see it.
async function move(page, patient, to) {
	await page.getByRole('button', { name: `Move ${patient} to ${to}` }).click();
	await reception.getByRole('list', { name: to }).getByText(patient).waitFor();
}

async function shoot(page, name, options = {}) {
	await page.screenshot({ path: path.join(directory, `${name}.png`), ...options });
}

try {
	await mkdir(directory, { recursive: true });
	await praxis.start({
		services: { whiteboard: { 'board-values': 200 }, telemedicine: {}, admin: {} },
		vhost: tokenVhost(
			{},
			{ mounts: [{ mountpoint: '/demo', origin: `${pages.directory}/demo` }] },
		),
	});
	const weber = await open('/demo/', { sub: '2', name: 'Dr. Weber', practices: [1] }, WEBER);
	await weber.waitForSelector('.card');
	const nurse = await open('/demo/', { sub: '3', name: 'Amira Said', practices: [1] }, WEBER);
	reception = await open('/demo/', { sub: '1', name: 'Reception', practices: [1] }, RECEPTION);
	await reception.waitForSelector('.card');
	await move(nurse, 'Coco', 'Checkout');
	await move(weber, 'Bella', 'In treatment');
	await reception.waitForSelector('#presence .avatar:nth-child(2)');
	await reception.evaluate(() =>
		Promise.all(document.getAnimations().map(({ finished }) => finished)),
	);
	await shoot(reception, 'demo');
	await nurse.close();

	for (const page of [weber, reception]) {
		await page.getByRole('link', { name: 'Call' }).click();
		await page.click('#join');
		await page.waitForSelector('.call-screen');
	}
	await reception.waitForFunction(
		() =>
			[...document.querySelectorAll('video')].filter((video) => video.currentTime > 1)
				.length === 2,
	);
	for (const [page, line] of [
		[weber, 'The X-ray of Rocky is ready.'],
		[reception, 'Thank you, I will tell the owner.'],
	]) {
		await page.fill('#text', line);
		await page.press('#text', 'Enter');
		await reception.getByText(line).waitFor();
	}
	await reception.locator('#text').blur();
	await shoot(reception, 'call');

	const claims = { sub: 'admin', name: 'Administrator', practices: ['*'], role: 'admin' };
	const admin = await open('/admin/websocket-admin', claims, RECEPTION);
	for (let line = 1; line <= LINES; line++) {
		await weber.fill('#text', `Line ${line}`);
		await weber.press('#text', 'Enter');
		await admin.waitForTimeout((line % 7) * 150);
	}
	await shoot(admin, 'dashboard');
} finally {
	await browser.close();
	await praxis.kill();
	await pages.remove();
	await dashboard.remove();
}
