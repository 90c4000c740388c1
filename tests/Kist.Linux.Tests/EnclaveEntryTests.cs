using System.Runtime.InteropServices;
using Kist.Formats;
using Kist.Linux.Enclaves;

namespace Kist.Linux.Tests;

/// <summary>There is no SGX here: a function in C takes the kernel's place, and behaves as badly as an enclave may.</summary>
public sealed unsafe class EnclaveEntryTests : IDisposable
{
    private const string Fake = """
        #include <stdint.h>
        #include <asm/sgx.h>
        #include <errno.h>
        uint64_t seen[8];
        int mode;
        int enter(unsigned long rdi, unsigned long rsi, unsigned long rdx, unsigned int function, unsigned long r8, unsigned long r9,
                  struct sgx_enclave_run *run)
        {
            uint64_t values[8] = { rdi, rsi, rdx, function, r8, r9, run->tcs, (uint64_t)__builtin_frame_address(0) & 15 };
            for (int i = 0; i < 8; i++) seen[i] = values[i];
            for (unsigned i = 0; i < sizeof run->reserved; i++) if (run->reserved[i]) return -EINVAL;
            unsigned control = 0xffff;
            unsigned short word = 0x0c7f;
            __asm__ volatile("ldmxcsr %0; fldcw %1" :: "m"(control), "m"(word));
            switch (mode) {
                case 0: run->function = 4; return 0;
                case 1: run->exception_vector = 14; run->exception_error_code = 7; run->exception_addr = 0x1234000; return -EFAULT;
                case 2: run->function = 3; return 0;
                default: return -EINVAL;
            }
        }
        __attribute__((naked)) int spoil(void)
        {
            __asm__("mov 8(%rsp), %rax\n movl $4, 8(%rax)\n mov $-1, %r12\n mov $-1, %r13\n mov $-1, %r14\n mov $-1, %r15\n mov $-1, %r10\n"
                    "mov $-1, %r11\n std\n xor %eax, %eax\n ret");
        }
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("kist-entry-").FullName;
    private readonly nint _library;

    public EnclaveEntryTests()
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "SGX exists on x86-64 only");
        _library = NativeLibrary.Load(CLibrary.Compile(_directory, "fake.so", Fake));
    }

    private Span<ulong> Seen => new((void*)NativeLibrary.GetExport(_library, "seen"), 8);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Call_Enclave_GetsRegistersAndRunAndReturns()
    {
        using var entry = Entry("enter", 0);
        Assert.Equal(EnclaveExitKind.Returned, entry.Call(0x7f0000001000, resume: false, (1, 2, 3, 4, 5)).Kind);
        Assert.Equal([1, 2, 3, 2, 4, 5, 0x7f0000001000, 0], Seen.ToArray());
        entry.Call(0, resume: true, default);
        Assert.Equal(3ul, Seen[3]);
    }

    [Fact]
    public void Call_ExceptionInTheEnclave_IsReportedWithItsParticulars()
    {
        using var entry = Entry("enter", 1);
        Assert.Equal(new EnclaveExit(EnclaveExitKind.Exception, 14, 7, 0x1234000), entry.Call(0, false, default));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Call_KernelRefusesOrMakesNoSense_Throws(int mode)
    {
        using var entry = Entry("enter", mode);
        Assert.ThrowsAny<OperationFailedException>(() => entry.Call(0, false, default));
    }

    /// <summary>The enclave leaves every register that a function must keep spoilt, and rounding and direction changed.</summary>
    [Fact]
    public void Call_EnclaveThatSpoilsRegisters_LeavesTheCallerWhole()
    {
        var before = (1.0 / 3.0, (int)2.5, Enumerable.Range(0, 100).Sum());
        using (var rounding = Entry("enter", 0))
            rounding.Call(0, false, default);
        using var entry = Entry("spoil", 0);
        for (var i = 0; i < 1000; i++)
            Assert.Equal(EnclaveExitKind.Returned, entry.Call((ulong)i, false, default).Kind);
        Assert.Equal(before, (1.0 / 3.0, (int)2.5, Enumerable.Range(0, 100).Sum()));
        Assert.Equal(new byte[5000], new byte[5000].ToArray());
    }

    [Fact]
    public void Structures_AreAsTheHeaderHasThem()
    {
        Assert.Equal(EnclaveRun.Size, sizeof(EnclaveRun));
        Assert.Equal(8, (int)Marshal.OffsetOf<EnclaveRun>(nameof(EnclaveRun.Function)));
        Assert.Equal(12, (int)Marshal.OffsetOf<EnclaveRun>(nameof(EnclaveRun.ExceptionVector)));
        Assert.Equal(16, (int)Marshal.OffsetOf<EnclaveRun>(nameof(EnclaveRun.ExceptionAddress)));
        Assert.Equal(24, (int)Marshal.OffsetOf<EnclaveRun>(nameof(EnclaveRun.UserHandler)));
        Assert.Equal(32, (int)Marshal.OffsetOf<EnclaveRun>(nameof(EnclaveRun.UserData)));
        Assert.Equal(40, (int)Marshal.OffsetOf<EnclaveRun>(nameof(EnclaveRun.Reserved)));
    }

    /// <summary>The kernel's object is read as it is here: a function that every kernel has is found, and works.</summary>
    [Fact]
    public void FindFunction_OfTheKernel_CanBeCalled()
    {
        var function = VirtualObject.FindFunction("__vdso_clock_gettime");
        Assert.SkipUnless(function != 0, "this kernel maps no vDSO");
        var time = stackalloc long[2];
        Assert.Equal(0, ((delegate* unmanaged<int, long*, int>)function)(0, time));
        Assert.InRange(time[0], 1_700_000_000, 100_000_000_000);
        Assert.Equal(0, VirtualObject.FindFunction("__vdso_no_such_function"));
    }

    [Fact]
    public void FindSymbol_OfAFileCutAnywhere_IsMalformedOrAbsent()
    {
        var bytes = File.ReadAllBytes(Path.Combine(_directory, "fake.so"));
        Assert.NotEqual(0ul, VirtualObject.FindSymbol(bytes, "enter"));
        for (var length = 0; length < bytes.Length; length += 61)
        {
            try
            {
                Assert.Equal(0ul, VirtualObject.FindSymbol(bytes.AsSpan(0, length), "no such symbol"));
            }
            catch (MalformedDataException)
            {
                continue;
            }
        }
    }

    private EnclaveEntry Entry(string function, int mode)
    {
        *(int*)NativeLibrary.GetExport(_library, "mode") = mode;
        return new EnclaveEntry(NativeLibrary.GetExport(_library, function));
    }
}
