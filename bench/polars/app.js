"use strict";
// The data of GET / by Polars from Parquet files, as one would write it who has the rows and no sums.
//
//	node app.js columns TABLE
//	node app.js convert CSV-DIRECTORY PARQUET-DIRECTORY NULL
//	node app.js answer PARQUET-DIRECTORY START TODAY files|memory TIMES
//
// answer prints {"data": ..., "ms": [...]}, the milliseconds of each of so many answers.  files: each reads what it needs
// of the files; memory: all of them were read before.

const fs = require("fs");
const path = require("path");
const pl = require("nodejs-polars");

const DAY_MS = 86400000, GAP_MS = 600000, SESSION_MORE_S = 10, RECENT_DAYS = 31, MEAN_ROWS = 30, TOP = 40;
const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const SOURCES = [["Teams", "teams\\."], ["Google Ads", "ads\\.|google_ads"], ["Google Search", "www\\.google\\.com"],
	["Free Planning Poker", "free-planning-poker\\.com"], ["CV", "cv"], ["Email", "email"], ["GitHub", "github\\.com"],
	["Bing", "bing\\.com"]];
const METRICS = [["new_users", "users", "created_at"], ["page_views", "page_views", "viewed_at"],
	["rooms", "rooms", "first_used_at"], ["estimations", "estimations", "estimated_at"], ["votes", "votes", "voted_at"]];
const I = pl.Int64, S = pl.String;
const SCHEMA = {
	users: { id: S, device: S, os: S, browser: S, country: S, region: S, city: S, created_at: I },
	rooms: { id: I, name: S, first_used_at: I },
	page_views: { user_id: S, route: S, source: S, viewed_at: I },
	events: { event: S },
	votes: { room_id: I, avg_estimation_c: I, max_estimation: I, min_estimation: I, amount_of_estimations: I,
		amount_of_spectators: I, duration: I, voted_at: I },
	estimations: { user_id: S, room_id: I, estimation: I, estimated_at: I },
};

function convert(from, to, nullValues) {
	for (const [table, schema] of Object.entries(SCHEMA))
		pl.readCSV(path.join(from, `${table}.csv`), { nullValues, schema, hasHeader: true })
			.writeParquet(path.join(to, `${table}.parquet`));
}

// -- reading --------------------------------------------------------------------------------

let directory;
const kept = {};

function read(table, ...columns) {
	if (kept[table])
		return kept[table].select(...columns);
	return pl.scanParquet(path.join(directory, `${table}.parquet`)).select(...columns).collectSync();
}

// -- helpers --------------------------------------------------------------------------------

const { col, lit, when } = pl;
const r2 = (x) => Number(x.toFixed(2));
const dayOf = (column) => col(column).div(lit(DAY_MS)).floor().cast(pl.Int32);
const weekday = (day) => (day + 3) % 7;
const dateOf = (day) => new Date(day * DAY_MS).toISOString().slice(0, 10);
const sum = (frame, column) => frame.getColumn(column).sum() ?? 0;

// How often each value of the columns is there, the most frequent first, then by the values.
function counts(frame, columns, top) {
	const sorted = frame.groupBy(columns).agg(pl.len().alias("count")).withColumn(col("count").cast(I).mul(lit(-1)).alias("less"))
		.sort({ by: ["less", ...columns], nullsLast: true }).select(...columns, "count");
	return top ? sorted.head(top) : sorted;
}

function asMap(frame, column, top) {
	const named = frame.select(col(column).fillNull(lit("None")).alias(column));
	return Object.fromEntries(counts(named, [column], top).rows().map(([key, n]) => [key, Number(n)]));
}

// -- parts ----------------------------------------------------------------------------------

function traffic(t0) {
	const views = read("page_views", "user_id", "viewed_at").rename({ viewed_at: "at" });
	const after = read("estimations", "user_id", "estimated_at").rename({ estimated_at: "at" }).filter(col("at").gt(lit(t0)));
	const viewers = views.getColumn("user_id").nUnique();
	const estimators = after.getColumn("user_id").nUnique();
	const gap = when(col("user_id").eq(col("user_id").shift(1))).then(col("at").minus(col("at").shift(1))).otherwise(lit(null));
	const [[sessions, gapMs]] = pl.concat([views.filter(col("at").gt(lit(t0))), after]).sort(["user_id", "at"])
		.select(gap.alias("gap"))
		.select(col("gap").isNull().or(col("gap").gt(lit(GAP_MS))).sum().alias("sessions"),
			col("gap").filter(col("gap").ltEq(lit(GAP_MS))).sum().alias("gap_ms")).rows();
	return {
		unique_users: viewers, page_views: views.height,
		bounce_rate: viewers ? r2(1 - estimators / viewers) : 0,
		average_duration: sessions ? r2((Number(gapMs) / 1000 + SESSION_MORE_S * sessions) / sessions / 60) : 0,
	};
}

function votes() {
	const all = read("votes", "amount_of_estimations", "amount_of_spectators", "duration", "avg_estimation_c",
		"min_estimation", "max_estimation", "voted_at");
	const n = all.height;
	const mean = (column, divisor = 1) => n ? r2(sum(all, column) / n / divisor) : 0;
	const days = all.select(dayOf("voted_at").plus(lit(3)).modulo(lit(7)).alias("weekday")).groupBy("weekday")
		.agg(pl.len().alias("count")).sort("weekday").rows();
	const cards = read("estimations", "estimation").filter(col("estimation").isNotNull()).groupBy("estimation")
		.agg(pl.len().alias("count")).sort("estimation").rows();
	return {
		total_votes: n, total_estimations: sum(all, "amount_of_estimations"),
		avg_estimations_per_vote: mean("amount_of_estimations"), avg_spectators_per_vote: mean("amount_of_spectators"),
		avg_duration_per_vote: mean("duration", 60), avg_estimation: mean("avg_estimation_c", 100),
		avg_min_estimation: mean("min_estimation"), avg_max_estimation: mean("max_estimation"),
		weekday_counts: Object.fromEntries(days.map(([day, count]) => [WEEKDAYS[day], count])),
		estimation_counts: Object.fromEntries(cards.map(([card, count]) => [String(card), count])),
	};
}

function behaviour() {
	const views = read("page_views", "route", "source");
	const category = SOURCES.reduceRight((otherwise, [name, pattern]) =>
		when(col("source").str.contains(pattern)).then(lit(name)).otherwise(otherwise), lit("Other"));
	const sources = asMap(views.filter(col("source").isNotNull()).select(category.alias("source")), "source");
	const rooms = read("votes", "room_id").groupBy("room_id").agg(pl.len().alias("n"))
		.join(read("rooms", "id", "name"), { leftOn: "room_id", rightOn: "id", how: "left" })
		.select(col("name").fillNull(lit("None")), col("n")).groupBy("name").agg(col("n").cast(I).sum().alias("n"))
		.withColumn(col("n").mul(lit(-1)).alias("less")).sort(["less", "name"]).select("name", "n").head(TOP).rows();
	return {
		routes: asMap(views, "route"), sources: { ...sources, Other: sources.Other ?? 0 },
		events: asMap(read("events", "event"), "event"), rooms: Object.fromEntries(rooms),
	};
}

// On which days users or rooms return, and from when to when that is recent, as {day: how many more}.
function returns(key, first) {
	const same = (rows) => col(key).eq(col(key).shift(rows)).fillNull(lit(false));
	const days = read("estimations", key, "estimated_at").select(col(key), dayOf("estimated_at").alias("day"))
		.filter(col("day").gtEq(lit(first)).and(col("day").plus(lit(3)).modulo(lit(7)).lt(lit(5))))
		.unique().sort([key, "day"])
		.withColumns(same(1).alias("is_again"), same(2).alias("is_later"),
			when(same(-1)).then(col("day").shift(-1)).otherwise(lit(null)).alias("next"))
		.filter(col("is_again"))
		.withColumns(pl.minHorizontal([col("day").plus(lit(RECENT_DAYS)), col("next")]).cast(pl.Int32).alias("until"));
	const byDay = (frame, column) => new Map(frame.groupBy(column).agg(pl.len().alias("n")).rows());
	return { returned: byDay(days.filter(col("is_later").not()), "day"), begins: byDay(days, "day"), ends: byDay(days, "until") };
}

function reoccurring(first, today) {
	const users = returns("user_id", first), rooms = returns("room_id", first);
	const listed = [], now = { users: 0, users30: 0, rooms: 0, rooms30: 0 };
	for (let day = first; day <= today; day++) {
		for (const [name, of] of [["users", users], ["rooms", rooms]]) {
			now[name] += of.returned.get(day) ?? 0;
			now[`${name}30`] += (of.begins.get(day) ?? 0) - (of.ends.get(day) ?? 0);
		}
		if (weekday(day) < 5)
			listed.push({ date: dateOf(day), reoccurring_users: now.users, reoccurring_rooms: now.rooms,
				adjusted_reoccurring_users: now.users30, adjusted_reoccurring_rooms: now.rooms30 });
	}
	return listed;
}

function historical(first, today) {
	const perDay = METRICS.map(([, table, column]) =>
		new Map(read(table, column).select(dayOf(column).alias("day")).groupBy("day").agg(pl.len().alias("n")).rows()));
	const listed = [], values = METRICS.map(() => []), all = METRICS.map(() => 0);
	for (let day = first; day <= today; day++) {
		if (weekday(day) >= 5)
			continue;
		const row = { date: dateOf(day) };
		METRICS.forEach(([name], m) => {
			const n = perDay[m].get(day) ?? 0, of = values[m];
			of.push(n);
			all[m] += n;
			row[name] = n;
			row[`acc_${name}`] = all[m];
			row[`ma_${name}`] = of.length < MEAN_ROWS ? null : r2(of.slice(-MEAN_ROWS).reduce((a, b) => a + b, 0) / MEAN_ROWS);
		});
		listed.push(row);
	}
	return listed;
}

function location() {
	const users = read("users", "device", "os", "browser", "country", "region", "city");
	const pairs = (name) => counts(users.select("country", name), ["country", name], TOP).rows()
		.map(([country, value, count]) => ({ country, [name]: value, count }));
	return { device: asMap(users, "device"), os: asMap(users, "os"), browser: asMap(users, "browser"),
		country: asMap(users, "country", TOP), country_region: pairs("region"), country_city: pairs("city") };
}

function answer(start, today) {
	const t0 = Date.parse(start), first = t0 / DAY_MS, last = Date.parse(today) / DAY_MS;
	return { traffic: traffic(t0), votes: votes(), behaviour: behaviour(), reoccurring: reoccurring(first, last),
		historical: historical(first, last), location_and_user_agent: location() };
}

// -------------------------------------------------------------------------------------------

function main([what, ...args]) {
	if (what === "columns")
		return console.log(JSON.stringify(Object.keys(SCHEMA[args[0]])));
	if (what === "convert")
		return convert(...args);
	const [from, start, today, kind, times] = args;
	directory = from;
	if (kind === "memory")
		for (const table of Object.keys(SCHEMA))
			kept[table] = pl.readParquet(path.join(directory, `${table}.parquet`));
	const ms = [];
	let text;
	for (let i = 0; i < Number(times); i++) {
		const begin = performance.now();
		text = JSON.stringify(answer(start, today));
		ms.push(performance.now() - begin);
	}
	fs.writeSync(1, `{"data": ${text}, "ms": ${JSON.stringify(ms)}}\n`);
}

main(process.argv.slice(2));
