using System.Text;
using System.Text.Json;
using Kist.Pods.Protocol;

namespace Kist.Agent.Policy;

/// <summary>
/// Allows everything and writes down what was asked, for an owner who wants to know what a workload needs. Only a guest on a
/// simulated platform, whose init-data says so, has this policy: it protects nothing.
/// </summary>
/// <param name="owner">The policy of init-data, whose opinion is recorded.</param>
sealed class LearningPolicy(IAgentPolicy owner) : IAgentPolicy
{
    private const int MaximumRequests = 4096, MaximumBytes = 2 << 20;

    private readonly Lock _lock = new();
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly StringBuilder _record = new();

    /// <summary>A line of JSON for each different request: rule, whether the owner's policy allows it, and the input.</summary>
    public string Record
    {
        get
        {
            lock (_lock)
                return _record.ToString();
        }
    }

    public void Require(string rule, Action<Utf8JsonWriter> input)
    {
        var line = LearnedRequest.Write(rule, Allows(rule, input), input);
        lock (_lock)
        {
            if (_seen.Count < MaximumRequests && _record.Length + line.Length < MaximumBytes && _seen.Add(line))
                _record.Append(line).Append('\n');
        }
    }

    private bool Allows(string rule, Action<Utf8JsonWriter> input)
    {
        try
        {
            owner.Require(rule, input);
            return true;
        }
        catch (AgentException)
        {
            return false;
        }
    }
}
