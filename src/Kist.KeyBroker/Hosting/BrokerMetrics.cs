using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Kist.KeyBroker.Hosting;

/// <summary>
/// Counters in Prometheus' text format. Labels come from fixed sets (routes, status codes, error codes), never from what
/// a peer sends, so that their number is bounded.
/// </summary>
sealed class BrokerMetrics
{
    private static readonly double[] Bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    private readonly ConcurrentDictionary<(string Route, int Status), long> _requests = new();
    private readonly ConcurrentDictionary<string, long> _errors = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Histogram> _durations = new(StringComparer.Ordinal);
    private long _active;

    public void Begin() => Interlocked.Increment(ref _active);

    public void End(string route, int status, string? code, TimeSpan elapsed)
    {
        Interlocked.Decrement(ref _active);
        _requests.AddOrUpdate((route, status), 1, (_, n) => n + 1);
        if (code is not null)
            _errors.AddOrUpdate(code, 1, (_, n) => n + 1);
        _durations.GetOrAdd(route, _ => new Histogram()).Observe(elapsed.TotalSeconds);
    }

    public string Write()
    {
        var text = new StringBuilder();
        text.Append("# HELP kist_broker_requests_total Requests answered.\n# TYPE kist_broker_requests_total counter\n");
        foreach (var ((route, status), count) in _requests.OrderBy(r => r.Key.Route, StringComparer.Ordinal).ThenBy(r => r.Key.Status))
            text.Append(CultureInfo.InvariantCulture, $"kist_broker_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}\n");
        text.Append("# HELP kist_broker_errors_total Errors answered, by their stable code.\n# TYPE kist_broker_errors_total counter\n");
        foreach (var (code, count) in _errors.OrderBy(e => e.Key, StringComparer.Ordinal))
            text.Append(CultureInfo.InvariantCulture, $"kist_broker_errors_total{{code=\"{code}\"}} {count}\n");
        text.Append("# HELP kist_broker_request_seconds Time to answer.\n# TYPE kist_broker_request_seconds histogram\n");
        foreach (var (route, histogram) in _durations.OrderBy(d => d.Key, StringComparer.Ordinal))
            histogram.Write(text, route);
        text.Append("# HELP kist_broker_active_requests Requests being answered.\n# TYPE kist_broker_active_requests gauge\n");
        text.Append(CultureInfo.InvariantCulture, $"kist_broker_active_requests {Interlocked.Read(ref _active)}\n");
        text.Append("# HELP process_resident_memory_bytes Resident memory.\n# TYPE process_resident_memory_bytes gauge\n");
        text.Append(CultureInfo.InvariantCulture, $"process_resident_memory_bytes {Environment.WorkingSet}\n");
        return text.ToString();
    }

    private sealed class Histogram
    {
        private readonly long[] _counts = new long[Bounds.Length + 1];
        private long _microseconds;

        public void Observe(double seconds)
        {
            var bucket = 0;
            while (bucket < Bounds.Length && seconds > Bounds[bucket])
                bucket++;
            Interlocked.Increment(ref _counts[bucket]);
            Interlocked.Add(ref _microseconds, (long)(seconds * 1e6));
        }

        public void Write(StringBuilder text, string route)
        {
            long sum = 0;
            for (var i = 0; i <= Bounds.Length; i++)
            {
                sum += Interlocked.Read(ref _counts[i]);
                var bound = i == Bounds.Length ? "+Inf" : Bounds[i].ToString(CultureInfo.InvariantCulture);
                text.Append(CultureInfo.InvariantCulture, $"kist_broker_request_seconds_bucket{{route=\"{route}\",le=\"{bound}\"}} {sum}\n");
            }

            text.Append(CultureInfo.InvariantCulture, $"kist_broker_request_seconds_sum{{route=\"{route}\"}} {Interlocked.Read(ref _microseconds) / 1e6}\n");
            text.Append(CultureInfo.InvariantCulture, $"kist_broker_request_seconds_count{{route=\"{route}\"}} {sum}\n");
        }
    }
}
