using System.Collections.Immutable;
using System.Text.Json;
using Kist.Formats;

namespace Kist.KeyBroker.Policies;

/// <summary>Evaluates policies. Safe for concurrent use.</summary>
interface IPolicyEngine
{
    /// <summary>Compiles a policy to see that it is one.</summary>
    /// <exception cref="MalformedDataException">It is not valid; the message has line and column.</exception>
    void Check(string name, string text);

    /// <summary>Evaluates a query such as "data.policy.allow" within limits on steps and memory.</summary>
    /// <exception cref="PolicyFailedException">It could not be evaluated, or did not end within its limits.</exception>
    PolicyAnswer Evaluate(string name, string text, string query, JsonElement input, JsonElement data, IReferenceLookup? references, CancellationToken cancellationToken);
}

/// <summary>What a policy said.</summary>
/// <param name="Value">The value of the query, or null if it is undefined.</param>
/// <param name="Trace">For the operator: which rules failed, and on what values. Found out when asked for, which costs more than the answer.</param>
sealed record PolicyAnswer(JsonElement? Value, Lazy<ImmutableArray<string>> Trace);

/// <summary>What policies may ask about reference values.</summary>
interface IReferenceLookup
{
    /// <summary>A reference value in force, or null.</summary>
    JsonElement? ValueOf(string name);

    /// <summary>The names of the sets in force all of whose claims these claims meet.</summary>
    ImmutableArray<string> MatchingSets(string tee, JsonElement claims);
}

/// <summary>A policy that could not be evaluated: everything is denied.</summary>
sealed class PolicyFailedException(string message, Exception? inner = null) : Exception(message, inner);
