using System.Text;
using Kist.Rego.Evaluation;

namespace Kist.Rego;

/// <summary>Keeps the text of values within the limits of the evaluation that writes it.</summary>
static class TextLimit
{
    /// <summary>The longest text of a value outside an evaluation, in characters.</summary>
    private const int MaxLength = 256 * 1024 * 1024;

    /// <exception cref="RegoException">eval_limit_error.</exception>
    public static void Check(StringBuilder text)
    {
        if (RegoEvaluation.Current is { } evaluation)
        {
            evaluation.Spend(1);
            evaluation.Charge(text.Length * 2L);
        }
        else if (text.Length > MaxLength)
        {
            throw Fault.Of(RegoErrorCode.Limit, $"the value's text is longer than {MaxLength} characters", default);
        }
    }
}
