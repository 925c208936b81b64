// node node.mjs SDK URL KEY COUNT: sends so many events and ends when the SDK has done with them.
const [sdk, url, key, count] = process.argv.slice(2);

async function segment() {
  const { Analytics } = await import("@segment/analytics-node");
  const client = new Analytics({ writeKey: key, host: url, path: "/v1/batch", maxEventsInBatch: 5 });
  return [client, () => client.closeAndFlush()];
}

async function rudder() {
  const { default: Analytics } = await import("@rudderstack/rudder-sdk-node");
  const client = new Analytics(key, { dataPlaneUrl: url, flushAt: 5, flushInterval: 100, retryCount: 10 });
  return [client, () => client.flush()];
}

const [client, end] = await { segment, rudder }[sdk]();
for (let number = 0; number < count; number++) {
  client.track({ userId: "u", event: "Counted", properties: { number } });
}
await end();
