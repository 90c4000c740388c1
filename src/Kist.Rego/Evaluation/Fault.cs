namespace Kist.Rego.Evaluation;

/// <summary>Makes the exceptions that end an evaluation.</summary>
static class Fault
{
    public static RegoException Of(string code, string message, RegoLocation at) => new(code, message, at);
}
