using System.Text.Json;

namespace Kist.KeyBroker.Policies;

/// <summary>Evaluates nothing, so that nothing is released.</summary>
sealed class NoPolicyEngine : IPolicyEngine
{
    public void Check(string name, string text)
    {
    }

    public PolicyAnswer Evaluate(
        string name, string text, string query, JsonElement input, JsonElement data, IReferenceLookup? references, CancellationToken cancellationToken) =>
        throw new PolicyFailedException("policies cannot be evaluated here");
}
