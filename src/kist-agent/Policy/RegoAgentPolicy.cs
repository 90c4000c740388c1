using System.Buffers;
using System.Text.Json;
using Kist.Formats;
using Kist.Pods.Protocol;
using Kist.Rego;

namespace Kist.Agent.Policy;

/// <summary>
/// The owner's policy: Rego, package agent_policy. A request is allowed only if the rule of its name is exactly true; no
/// rule, an undefined value, an error and an exceeded limit are denials.
/// </summary>
sealed class RegoAgentPolicy : IAgentPolicy
{
    private const string Package = "package agent_policy";

    /// <summary>A guest has little memory: policies decide within this.</summary>
    private static readonly RegoLimits Limits = new() { MaxMemoryBytes = 64 << 20, MaxSteps = 2_000_000, Timeout = TimeSpan.FromSeconds(10) };

    private readonly RegoProgram _program;
    private readonly HashSet<string> _rules;

    private RegoAgentPolicy(RegoProgram program)
    {
        _program = program;
        _rules = [.. program.RuleNames];
    }

    /// <summary>Compiles the policy of an init-data document. Kata's policies are Rego v0, newer ones v1: either is read.</summary>
    /// <exception cref="MalformedDataException">It is no Rego.</exception>
    public static RegoAgentPolicy Compile(string text)
    {
        try
        {
            return new RegoAgentPolicy(RegoProgram.Compile("policy.rego", text, RegoVersion.Either));
        }
        catch (RegoException e)
        {
            throw new MalformedDataException("policy.rego", -1, e.Message, e);
        }
    }

    public void Require(string rule, Action<Utf8JsonWriter> input)
    {
        if (!_rules.Contains($"data.agent_policy.{rule}"))
            throw Denied(rule, $"the policy ({Package}) has no rule of this name");
        bool allowed;
        try
        {
            allowed = _program.Evaluate($"data.agent_policy.{rule}", Input(input), limits: Limits).IsTrue;
        }
        catch (RegoException e)
        {
            throw Denied(rule, $"the policy could not be evaluated: {e.Message}");
        }

        if (!allowed)
            throw Denied(rule, "the policy does not allow this request");
    }

    private static RegoValue Input(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return RegoValue.FromJson(buffer.WrittenSpan);
    }

    private static AgentException Denied(string rule, string reason) => new(
        FailureCode.PolicyDenied, "ask agent policy", rule, reason, "the guest's owner decides: see policy.rego of its init-data");
}
