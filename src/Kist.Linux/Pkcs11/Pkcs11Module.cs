using System.Runtime.InteropServices;
using Kist.Formats;

namespace Kist.Linux.Pkcs11;

/// <summary>
/// A PKCS#11 library: enough of it to find a key by its label and to use it. Called through its function list
/// (PKCS #11 2.40, section 4.6: a version, padding to 8 bytes, then the functions in the order of section 5).
/// </summary>
public sealed unsafe class Pkcs11Module : IDisposable
{
    private const int Initialize = 0, Finalize_ = 1, GetSlotList = 4, GetTokenInfo = 6, OpenSession = 12;
    private const nuint AlreadyInitialized = 0x191;
    private const nuint SerialSession = 4, WritableSession = 2;
    private const int TokenInfoSize = 256, LabelSize = 32;
    private const int MaxSlots = 256;

    private readonly nint _library;
    private readonly nint* _functions;
    private readonly string _path;
    private readonly bool _initialized;

    private Pkcs11Module(nint library, nint* functions, string path)
    {
        _library = library;
        _functions = functions;
        _path = path;
        var result = ((delegate* unmanaged<void*, nuint>)Function(Initialize))(null);
        _initialized = result == 0;
        if (result is not (0 or AlreadyInitialized))
            throw Failed("initialise", result);
    }

    /// <summary>Loads a library, such as /usr/lib/softhsm/libsofthsm2.so.</summary>
    /// <exception cref="OperationFailedException">It cannot be loaded, or is none.</exception>
    public static Pkcs11Module Load(string path)
    {
        if (!NativeLibrary.TryLoad(path, out var library))
            throw new OperationFailedException("load PKCS#11 library", path, "it cannot be loaded", "name the token's library by its path");
        nint list = 0;
        if (!NativeLibrary.TryGetExport(library, "C_GetFunctionList", out var entry) || ((delegate* unmanaged<nint*, nuint>)entry)(&list) != 0 || list == 0)
        {
            NativeLibrary.Free(library);
            throw new OperationFailedException("load PKCS#11 library", path, "it has no function list: it is no PKCS#11 library");
        }

        return new Pkcs11Module(library, (nint*)(list + sizeof(nint)), path);
    }

    /// <summary>Opens a session with the token of this label and logs in.</summary>
    /// <param name="label">The token's label.</param>
    /// <param name="pin">The user's PIN in UTF-8; the caller zeroes it.</param>
    /// <param name="writable">True to make keys in the token.</param>
    public Pkcs11Session Open(string label, ReadOnlySpan<byte> pin, bool writable = false)
    {
        var slots = stackalloc nuint[MaxSlots];
        nuint count = MaxSlots;
        Check(((delegate* unmanaged<byte, nuint*, nuint*, nuint>)Function(GetSlotList))(1, slots, &count), "list slots");
        var info = stackalloc byte[TokenInfoSize];
        for (nuint i = 0; i < count; i++)
        {
            if (((delegate* unmanaged<nuint, byte*, nuint>)Function(GetTokenInfo))(slots[i], info) != 0 ||
                System.Text.Encoding.UTF8.GetString(info, LabelSize).TrimEnd() != label)
            {
                continue;
            }

            return OpenSlot(slots[i], pin, writable);
        }

        throw new OperationFailedException("find token", label, $"none of the {count} tokens has this label");
    }

    /// <summary>Opens a session with the token in this slot and logs in.</summary>
    /// <param name="slot">The slot's identifier.</param>
    /// <param name="pin">The user's PIN in UTF-8; the caller zeroes it. Empty does not log in.</param>
    /// <param name="writable">True to make keys in the token.</param>
    public Pkcs11Session OpenSlot(nuint slot, ReadOnlySpan<byte> pin, bool writable = false)
    {
        nuint session;
        Check(((delegate* unmanaged<nuint, nuint, void*, void*, nuint*, nuint>)Function(OpenSession))(slot, writable ? SerialSession | WritableSession : SerialSession, null, null, &session), "open session");
        return new Pkcs11Session(this, session, pin);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_initialized)
            _ = ((delegate* unmanaged<void*, nuint>)Function(Finalize_))(null);
        NativeLibrary.Free(_library);
    }

    internal nint Function(int index) => _functions[index];

    internal void Check(nuint result, string step)
    {
        if (result != 0)
            throw Failed(step, result);
    }

    private OperationFailedException Failed(string step, nuint result) =>
        new($"PKCS#11: {step}", _path, $"the library returned 0x{result:x}{(result == 0xa0 ? " (wrong PIN)" : "")}");
}
