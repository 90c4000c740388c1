using System.Text.Json;
using Kist.Formats;
using Kist.Pods.Protocol;
using Kist.Rego;

namespace Kist.Kubernetes;

/// <summary>What a policy says to a request.</summary>
/// <param name="IsAllowed">True if the rule is exactly true.</param>
/// <param name="Conditions">Rules named …_allowed that did not hold, of those that the policy has.</param>
/// <param name="Failures">Expressions that did not hold in those, with their values; at most a few.</param>
public sealed record TrialResult(bool IsAllowed, IReadOnlyList<string> Conditions, IReadOnlyList<string> Failures);

/// <summary>Puts requests before an agent policy as a guest would, without one, and says why one is denied.</summary>
public sealed class AgentPolicyTrial
{
    private const string Package = "data.agent_policy.";
    private const int MaxFailures = 8;

    private readonly RegoProgram _program;

    private AgentPolicyTrial(RegoProgram program) => _program = program;

    /// <summary>Compiles a policy.</summary>
    /// <exception cref="MalformedDataException">It is no Rego.</exception>
    public static AgentPolicyTrial Compile(string policy)
    {
        try
        {
            return new AgentPolicyTrial(RegoProgram.Compile("policy.rego", policy, RegoVersion.Either));
        }
        catch (RegoException e)
        {
            throw new MalformedDataException("policy.rego", -1, e.Message, e);
        }
    }

    /// <summary>Would this container be created?</summary>
    public TrialResult Create(CreateContainerInput input) => Ask("CreateContainerRequest", input.Write);

    /// <summary>Would this request be obeyed?</summary>
    /// <param name="rule">The rule's name.</param>
    /// <param name="write">Writes the members of its input.</param>
    public TrialResult Ask(string rule, Action<Utf8JsonWriter> write)
    {
        var name = Package + rule;
        if (!_program.RuleNames.Contains(name))
            return new TrialResult(false, [], [$"the policy has no rule {rule}"]);
        var input = InputOf(write);
        try
        {
            var result = _program.Evaluate(name, new RegoEvaluationOptions { Input = input, Trace = true });
            return result.IsTrue ? new TrialResult(true, [], []) : Explain(rule, input, result);
        }
        catch (RegoException e)
        {
            return new TrialResult(false, [], [e.Message]);
        }
    }

    private TrialResult Explain(string rule, RegoValue input, RegoResult result)
    {
        var conditions = rule != "CreateContainerRequest" ? [] : _program.RuleNames
            .Where(n => n.StartsWith(Package, StringComparison.Ordinal) && !n.StartsWith($"{Package}exec_", StringComparison.Ordinal) && n.EndsWith("_allowed", StringComparison.Ordinal))
            .Where(n => !_program.Evaluate(n, input).IsTrue).Order(StringComparer.Ordinal).ToList();
        var failures = result.Trace!.Failures
            .Select(f => $"{f.Text}{string.Concat(f.Values.Select(v => $"; {v.Term} = {v.Value?.ToJson() ?? "undefined"}"))}")
            .Distinct().Take(MaxFailures);
        return new TrialResult(false, [.. conditions.Select(c => c[Package.Length..])], [.. failures]);
    }

    private static RegoValue InputOf(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return RegoValue.FromJson(buffer.ToArray());
    }
}
