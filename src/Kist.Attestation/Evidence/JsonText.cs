using System.Text.Json;
using Kist.Formats;

namespace Kist.Attestation;

/// <summary>
/// System.Text.Json accepts documents whose texts are no valid Unicode (a lone surrogate in an escape, a byte that is no UTF-8), and
/// throws InvalidOperationException once such a text is read. For input of strangers that is malformed data like any other.
/// </summary>
internal static class JsonText
{
    /// <summary>Runs <paramref name="read"/>, and reports invalid text and syntax as malformed data.</summary>
    /// <exception cref="MalformedDataException">The document does not follow its format.</exception>
    public static T Guard<T>(string structure, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (JsonException e)
        {
            throw new MalformedDataException(structure, e.BytePositionInLine ?? -1, "it is not JSON", e);
        }
        catch (InvalidOperationException e)
        {
            throw new MalformedDataException(structure, -1, "a text in it is not valid Unicode, or a value is of another kind", e);
        }
    }
}
