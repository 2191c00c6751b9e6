// SPDX-License-Identifier: MIT
//
// What a Java application does with Praxis, by the JDK's own HttpClient: run from its source, told on
// standard input what to say, and telling on standard output what it got, a line each.
//
//	java JdkClient.java PLAIN-URL TLS-URL CERTIFICATE     (environment: PRAXIS_TOKEN)

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.concurrent.CompletionStage;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public final class JdkClient {
	private static final String TOKEN = "Bearer " + System.getenv("PRAXIS_TOKEN");

	private static synchronized void tell(String line) {
		System.out.println(line);
		System.out.flush();
	}

	private static SSLContext trusting(String file) throws Exception {
		KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
		store.load(null, null);
		try (FileInputStream input = new FileInputStream(file)) {
			store.setCertificateEntry("nginx", CertificateFactory.getInstance("X.509").generateCertificate(input));
		}
		TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
		trust.init(store);
		SSLContext context = SSLContext.getInstance("TLS");
		context.init(null, trust.getTrustManagers(), null);
		return context;
	}

	private static void publish(HttpClient client, String base, String what) throws Exception {
		String body = "{\"type\":\"whiteboard_update\",\"practiceId\":1,\"data\":\"" + what + "\"}";
		HttpResponse<String> response = client.send(HttpRequest.newBuilder(URI.create(base + "/api/v1/publish"))
				.header("Authorization", TOKEN)
				.header("Content-Type", "application/json")
				.POST(HttpRequest.BodyPublishers.ofString(body)).build(), HttpResponse.BodyHandlers.ofString());
		tell("published " + response.statusCode() + " " + response.body());
	}

	private static final class Listener implements WebSocket.Listener {
		private final StringBuilder parts = new StringBuilder();

		@Override
		public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
			parts.append(data);
			if (last) {
				tell("got " + parts);
				parts.setLength(0);
			}
			socket.request(1);
			return null;
		}

		@Override
		public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
			tell("closed " + code);
			return null;
		}

		@Override
		public void onError(WebSocket socket, Throwable error) {
			tell("broken " + error);
		}
	}

	public static void main(String[] args) throws Exception {
		// Without a version of its own it offers HTTP/2: by an upgrade to h2c, or by ALPN.
		HttpClient client = HttpClient.newBuilder().sslContext(trusting(args[2])).build();
		for (String base : new String[] { args[0], args[1] }) {
			HttpResponse<String> health = client.send(HttpRequest.newBuilder(URI.create(base + "/health")).build(),
					HttpResponse.BodyHandlers.ofString());
			tell("health " + health.statusCode() + " " + health.version());
			publish(client, base, System.getenv("PRAXIS_WORDS"));
		}
		WebSocket socket = client.newWebSocketBuilder().header("Authorization", TOKEN)
				.buildAsync(URI.create(args[1].replace("https:", "wss:") + "/ws"), new Listener()).join();
		tell("open");
		BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
		for (String line = input.readLine(); line != null; line = input.readLine()) {
			if (line.startsWith("say ")) {
				socket.sendText(line.substring(4), true).join();
			} else {
				socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
			}
		}
	}
}
